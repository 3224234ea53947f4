"""`patient start` and `patient end`: who wears the wearable, by a pseudonym."""

import secrets
from typing import Annotated, NamedTuple

import typer
from crs_core.units import SITES

from host_agent.control.guard import GuardNeeded
from host_agent.paths import default_paths
from host_agent.patient.profile import check_label, make_profile
from host_agent.terminal.bundles import with_bundles
from host_agent.terminal.guarding import Guard, ReasonOption, through_agent
from host_agent.terminal.options import DeviceOption, JsonOption
from host_agent.terminal.output import show
from host_agent.terminal.signing import AccountOption, PassphraseOption
from host_agent.terminal.times import parse_day
from host_agent.terminal.words import chosen, offering

patient = typer.Typer(
    help="Start or end the binding of a wearable to a patient. Needs the running agent.", no_args_is_help=True
)


class Ends(NamedTuple):
    """Who stands for the binding that a start ends: its wearable says that it is free, and a HIGH alarm stands."""

    account: AccountOption = None
    passphrase_file: PassphraseOption = None
    reason: ReasonOption = None
    ends: Annotated[
        list[str] | None,
        typer.Option(
            "--ends",
            metavar="PSEUDONYM",
            help="Pseudonym of the patient whose binding this ends while a HIGH alarm stands, as you type it.",
        ),
    ] = None


@patient.command()
@with_bundles
def start(
    *,
    age_years: Annotated[
        int | None,
        typer.Option("--age-years", metavar="N", help="Age in whole years, 12 or more. Mandatory."),
    ] = None,
    site: Annotated[
        str | None,
        typer.Option(
            "--site",
            metavar="SITE",
            autocompletion=offering(SITES[1:]),
            help="Where the thermometer sits. The wearable must be set up for the same site.",
        ),
    ] = None,
    pseudonym: Annotated[
        str | None,
        typer.Option(
            "--patient",
            metavar="ID",
            help="Pseudonym, never a name. When left out, one is made up.",
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            "--label",
            metavar="TEXT",
            help="What messages call the patient, such as 'Room 12, window'. It stays on this laptop and in messages."
            " When left out, messages use the pseudonym.",
        ),
    ] = None,
    infusion_date: Annotated[
        str | None,
        typer.Option(
            "--infusion-date",
            metavar="DATE",
            help="Day of the infusion, e.g. 2026-03-31. Screens then show Day +N.",
        ),
    ] = None,
    product: Annotated[
        str | None, typer.Option("--product", metavar="TEXT", help="Product that was infused.")
    ] = None,
    systolic_mmhg: Annotated[
        int | None,
        typer.Option(
            "--baseline-systolic", metavar="MMHG", help="The patient's usual systolic blood pressure in mmHg."
        ),
    ] = None,
    call_number: Annotated[
        str | None,
        typer.Option("--call-number", metavar="NUMBER", help="Telephone number that the patient calls."),
    ] = None,
    second_wearable: Annotated[
        bool,
        typer.Option(
            "--second-wearable", help="This patient wears another wearable already, and shall wear both."
        ),
    ] = False,
    device: DeviceOption = None,
    guard: Ends,
    as_json: JsonOption = False,
) -> None:
    """Bind the wearable in session to a patient. A new journal begins, and grading and alarms start.

    Refused until the wearable has both phone numbers (`cytowatch phones`). It ends a binding that another laptop, or a
    wearable that lost its memory, left open. While a HIGH alarm stands about that patient, somebody must stand for it.
    """
    profile = {
        "patient": pseudonym or f"P-{secrets.token_hex(3).upper()}", "age_years": age_years,
        "site": chosen(site, SITES[1:], "--site") if site else "",
        "infusion_date": parse_day(infusion_date, "--infusion-date").isoformat() if infusion_date else None,
        "product": product, "systolic_mmhg": systolic_mmhg, "call_number": call_number,
    }  # fmt: skip
    make_profile(**profile)  # type: ignore[arg-type]  # refuse here what needs no wearable to refuse
    label = None if label is None else check_label(label)
    try:
        done = through_agent(
            default_paths(), "patient_start", "patient_start", Guard(*guard), profile=profile, device=device,
            second_wearable=second_wearable, label=label,
        )  # fmt: skip
    except GuardNeeded as error:
        raise GuardNeeded(
            f"{error} This start would end that patient's binding.",
            "Look at that patient. Then give --account NAME, --reason TEXT and --ends PSEUDONYM.",
        ) from error
    lines = [
        f"Wearable {done['device_id']} is bound to {done['patient']}, site {done['site']}"
        f" (binding {done['binding_id']}).",
        f"Messages call this patient {label or done['patient']}.",
        "A new journal has begun. Grading starts with the first new readings.",
    ]
    show(done, lines, as_json=as_json)


@patient.command()
@with_bundles
def end(
    *,
    override: Annotated[
        str | None,
        typer.Option(
            "--override",
            metavar="REASON",
            help="End although records are not synced. Those records are lost. Your reason is kept.",
        ),
    ] = None,
    wearable_lost: Annotated[
        str | None,
        typer.Option(
            "--wearable-lost",
            metavar="REASON",
            help="End on this laptop only, because the wearable is lost. Your reason is kept.",
        ),
    ] = None,
    device: DeviceOption = None,
    guard: Guard,
    as_json: JsonOption = False,
) -> None:
    """End the binding. The wearable erases journal, limits and alarm states. Refused until all records are synced.

    While a HIGH alarm stands, somebody must stand for it: account, reason, and the patient's pseudonym. All are told.
    """
    done = through_agent(
        default_paths(),
        "patient_lost" if wearable_lost else "patient_end",
        "patient_end",
        guard,
        timeout_s=62,
        override=override,
        wearable_lost=wearable_lost,
        device=device,
    )
    if wearable_lost:
        lines = [
            f"The binding of {done['patient']} ended on this laptop; the wearable was not reached.",
            "If it still works, it measures and sounds on. When it is linked here again, the binding is open again.",
        ]
    else:
        whose = done["patient"] or "the patient whom another laptop bound"
        lines = [
            f"The binding of {whose} ended; the wearable erased its records.",
            "The wearable monitors nobody now.",
        ]
    show(done, lines, as_json=as_json)
