"""`sign`: a clinician signs a grade, a death, the end of an episode or limits, countersigns a death, or reverses."""

from typing import Annotated, Any

import typer
from crs_core.grade.rules import DEFAULT

from host_agent.control.guard import stands_text
from host_agent.errors import ConfigError
from host_agent.paths import default_paths
from host_agent.people import limits
from host_agent.people.composing import NOW, When
from host_agent.people.for_wearable import DEATH
from host_agent.people.rule_sets import newest_rules
from host_agent.people.signed_records import SCALE_VERSIONS, Signed, signed
from host_agent.terminal.bundles import with_bundles
from host_agent.terminal.entry_ids import find_entry
from host_agent.terminal.guarding import Guard, ReasonOption, TypedOption, needed_by_agent, stated
from host_agent.terminal.output import show
from host_agent.terminal.reading_store import open_store
from host_agent.terminal.signing import Observed, Who, moment, sign_about_patient
from host_agent.terminal.words import chosen, offering
from host_agent.text import marked
from host_agent.views.context_rows import patient_of, signed_text

sign = typer.Typer(help="Sign a record as a clinician. Needs the running agent.", no_args_is_help=True)
RecordArgument = Annotated[
    str,
    typer.Argument(
        metavar="ENTRY",
        help="The signed record, by its id or the start of it, as `history --kind signed` shows it.",
    ),
]
_UNSPECIFIED = "unspecified"


@sign.command()
@with_bundles
def grade(
    *,
    scale: Annotated[
        str,
        typer.Option(
            "--scale",
            metavar="SCALE",
            autocompletion=offering(list(SCALE_VERSIONS)),
            help=f"Scale: one of {', '.join(SCALE_VERSIONS)}.",
        ),
    ] = "ASTCT",
    value: Annotated[
        str,
        typer.Option(
            "--grade", metavar="GRADE", help="1 to 4, or unspecified. For grade 5 use `sign death`."
        ),
    ] = "",
    observed: Observed,
    who: Who,
) -> None:
    """Sign a grade. A signed grade of CRS has its ICD-10-CM code; a computed grade never has one."""
    when = moment(observed)
    scale = chosen(scale, list(SCALE_VERSIONS), "--scale")
    value = value.strip().lower()
    if value == "5":
        raise ConfigError(
            "--grade: 5 is death, which two clinicians sign.", "Use `cytowatch sign death --cause crs`."
        )
    if value not in ("1", "2", "3", "4", _UNSPECIFIED):
        raise ConfigError(f"--grade: expected 1 to 4 or {_UNSPECIFIED}, found {value!r}.", "Try --help.")
    values = {
        "scale": scale, "scale_version": SCALE_VERSIONS[scale], "grade": None if value == _UNSPECIFIED else int(value),
    }  # fmt: skip
    _sign(who, "grade", values, when=when)


@sign.command()
@with_bundles
def death(
    *,
    cause: Annotated[
        str,
        typer.Option(
            "--cause",
            metavar="CAUSE",
            autocompletion=offering(list(DEATH)),
            help=f"Cause: one of {', '.join(DEATH)}.",
        ),
    ] = "",
    observed: Observed,
    who: Who,
) -> None:
    """Sign the death of the patient who is bound. It counts only when a second clinician has countersigned it."""
    when = moment(observed)
    cause = chosen(cause, list(DEATH), "--cause")
    _sign(who, "death", {"cause": cause}, when=when)


@sign.command()
@with_bundles
def countersign(
    *,
    entry: RecordArgument,
    who: Who,
) -> None:
    """Countersign a death as a second clinician. From then on it counts, and the wearable stops sounding."""
    _sign(who, "countersign", {}, about=entry)


@sign.command()
@with_bundles
def reverse(
    *,
    entry: RecordArgument,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Your reason. Mandatory; it is kept.")
    ] = "",
    who: Who,
) -> None:
    """Reverse a signed grade or death. One clinician can do this. It is final, and it stays in the history."""
    if not reason.strip():
        raise ConfigError("--reason: say why; a reversal without a reason is refused.", "Add --reason TEXT.")
    _sign(who, "reverse", {"reason": reason}, about=entry)


@sign.command("limits")
@with_bundles
def limits_of_patient(
    *,
    values: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME=VALUE...", help=f"Limits of this patient alone: {', '.join(limits.NAMES)}."
        ),
    ],
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Your reason. Mandatory; it is kept.")
    ] = "",
    who: Who,
) -> None:
    """Sign limits of this patient, within the bounds of the rules. They replace earlier ones and go to the wearable."""
    numbers: dict[str, Any] = {}
    for pair in values:
        name, _, text = pair.partition("=")
        if name in numbers or not text.isdigit():
            raise ConfigError(
                f"{pair!r}: expected NAME=VALUE with a whole number, each name once.",
                "See `cytowatch rules show`.",
            )
        numbers[name] = int(text)
    signed_values = {"limits": numbers, "reason": reason}
    with open_store(default_paths()) as tx:
        rules = DEFAULT if tx is None else newest_rules(tx)
    if fault := limits.fault(signed_values, rules):
        raise ConfigError(fault, "Bounds: `cytowatch rules show`.")
    done = sign_about_patient(who, "limits", signed_values)
    listed = ", ".join(f"{name}={number}" for name, number in numbers.items())
    text = f"{done['patient']}: {listed}, signed by {done['account']} as entry {done['entry'][:8]}."
    lines = [
        marked(done["simulated"], text),
        "This computer uses them from now on. The wearable gets them at its next session, and then uses them too.",
    ]
    show(done, lines, as_json=who.as_json)


@sign.command("close-episode")
@with_bundles
def close_episode(
    *,
    reason: ReasonOption = None,
    typed: TypedOption = None,
    observed: Observed,
    who: Who,
) -> None:
    """Sign the end of the episode. Its fever and its masking no longer count, also on the wearable.

    While a HIGH alarm stands, this needs a reason and the pseudonym as you type it. All receivers are told.
    """
    paths = default_paths()
    when = moment(observed)
    values: dict[str, Any] = {}
    if concerned := needed_by_agent(paths, "close_episode", device=who.device):
        guard = Guard(who.account, who.passphrase_file, reason, typed)
        values = stated(guard, concerned, stands_text(concerned))
        values["patient"] = next(iter(values.pop("patients").values()))
    _sign(who, "close_episode", values, when=when)


def _sign(who: Who, kind: str, values: dict[str, Any], *, when: When = NOW, about: str | None = None) -> None:
    def target() -> str | None:
        return find_entry(about, [one.entry_id for one in _records(who.device)]) if about else None

    done = sign_about_patient(who, kind, values, when=when, find_target=target)
    signed_id = done["refers_to"] or done["entry"]
    record = next(one for one in _records(who.device) if one.entry_id == signed_id)
    data = {**done, "icd10cm": record.icd10cm, "in_force": record.in_force, "record": record.entry_id}
    lines = [
        marked(done["simulated"], f"{done['patient']}: {signed_text(record)}"),
        f"Entry {record.entry_id[:8]}.",
    ]
    if record.kind == "death" and not record.in_force and record.reversed_by is None:
        lines.append(
            f"It counts when a second clinician signs: cytowatch sign countersign {record.entry_id[:8]}"
        )
    show(data, lines, as_json=who.as_json)


def _records(device: str | None) -> list[Signed]:
    with open_store(default_paths()) as tx:
        wearer = patient_of(tx, device)
        return [] if tx is None or wearer is None else signed(tx, wearer.row)
