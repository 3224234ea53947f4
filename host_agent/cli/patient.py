"""`patient start` and `patient end`: who wears the wearable, by a pseudonym."""

import secrets
from typing import Annotated

import typer

from host_agent.control.socket import call_now
from host_agent.paths import default_paths
from host_agent.patient.profile import make_profile
from host_agent.terminal.options import DeviceOption, JsonOption
from host_agent.terminal.output import show

patient = typer.Typer(
    help="Bind a wearable to a patient, or end it. Needs the running agent.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(patient, name="patient")


@patient.command()
def start(
    *,
    age_years: Annotated[
        int | None,
        typer.Option("--age-years", metavar="N", help="Age in whole years; mandatory, 12 or more."),
    ] = None,
    site: Annotated[
        str | None,
        typer.Option(
            "--site",
            metavar="SITE",
            help="Where the thermometer sits; refused unless the wearable is set up so.",
        ),
    ] = None,
    pseudonym: Annotated[
        str | None,
        typer.Option("--patient", metavar="ID", help="Pseudonym, never a name; made up when left out."),
    ] = None,
    infusion_date: Annotated[
        str | None,
        typer.Option("--infusion-date", metavar="DATE", help="Day 0, e.g. 2026-03-31; screens show Day +N."),
    ] = None,
    product: Annotated[
        str | None, typer.Option("--product", metavar="TEXT", help="The product given.")
    ] = None,
    systolic_mmhg: Annotated[
        int | None,
        typer.Option(
            "--baseline-systolic", metavar="MMHG", help="The patient's own usual systolic pressure."
        ),
    ] = None,
    call_number: Annotated[
        str | None, typer.Option("--call-number", metavar="NUMBER", help="Whom the patient calls.")
    ] = None,
    device: DeviceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bind the wearable in session to a patient: a new journal begins, grading and alarms start."""
    profile = {
        "patient": pseudonym or f"P-{secrets.token_hex(3).upper()}", "age_years": age_years, "site": site or "",
        "infusion_date": infusion_date, "product": product, "systolic_mmhg": systolic_mmhg, "call_number": call_number,
    }  # fmt: skip
    make_profile(**profile)  # type: ignore[arg-type]  # refuse here what needs no wearable to refuse
    done = call_now(default_paths().socket, "patient_start", profile=profile, device=device)
    lines = [
        f"Wearable {done['device_id']} is bound to {done['patient']}, site {done['site']}"
        f" (binding {done['binding_id']}).",
        "Its journal began anew; grading needs fresh readings.",
    ]
    show(done, lines, as_json=as_json)


@patient.command()
def end(
    *,
    override: Annotated[
        str | None,
        typer.Option(
            "--override",
            metavar="REASON",
            help="End although records are not synced: they are lost. The reason is kept.",
        ),
    ] = None,
    wearable_lost: Annotated[
        str | None,
        typer.Option(
            "--wearable-lost",
            metavar="REASON",
            help="End on this laptop only: the wearable is gone. The reason is kept.",
        ),
    ] = None,
    device: DeviceOption = None,
    as_json: JsonOption = False,
) -> None:
    """End the binding: the wearable wipes journal, limits and latches. Refused while records are not synced."""
    done = call_now(
        default_paths().socket,
        "patient_end",
        timeout_s=62,
        override=override,
        wearable_lost=wearable_lost,
        device=device,
    )
    text = (
        f"The binding of {done['patient']} ended on this laptop; the wearable was not reached."
        if wearable_lost
        else f"The binding of {done['patient']} ended; the wearable wiped itself."
    )
    show(done, [text, "Nobody is monitored by it now."], as_json=as_json)
