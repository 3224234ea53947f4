"""`sign`: a clinician signs a grade, a death, the end of an episode, or limits of a patient."""

from typing import Annotated, Any

import typer
from crs_core.grade.rules import DEFAULT

from host_agent.errors import ConfigError
from host_agent.paths import default_paths
from host_agent.people import limits
from host_agent.people.composing import sign_entry
from host_agent.people.for_wearable import DEATH
from host_agent.people.rule_sets import newest_rules
from host_agent.people.signed_records import SCALE_VERSIONS, Signed, signed
from host_agent.terminal.entry_ids import find_entry
from host_agent.terminal.options import DeviceOption, JsonOption
from host_agent.terminal.output import show
from host_agent.terminal.reading_store import open_store
from host_agent.terminal.signing import (
    AccountOption,
    AgoOption,
    AtOption,
    PassphraseOption,
    agent_door,
    find_signer,
    moment,
)
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
def grade(
    *,
    scale: Annotated[
        str, typer.Option("--scale", metavar="SCALE", help=f"Scale: one of {', '.join(SCALE_VERSIONS)}.")
    ] = "ASTCT",
    value: Annotated[
        str,
        typer.Option(
            "--grade", metavar="GRADE", help="1 to 4, or unspecified. For grade 5 use `sign death`."
        ),
    ] = "",
    at: AtOption = None,
    ago: AgoOption = None,
    account: AccountOption = None,
    passphrase_file: PassphraseOption = None,
    device: DeviceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sign a grade. A signed grade of CRS has its ICD-10-CM code; a computed grade never has one."""
    when = moment(at, ago)
    if scale not in SCALE_VERSIONS:
        raise ConfigError(
            f"--scale: expected one of {', '.join(SCALE_VERSIONS)}, found {scale!r}.", "Try --help."
        )
    if value == "5":
        raise ConfigError(
            "--grade: 5 is death, which two clinicians sign.", "Use `cytowatch sign death --cause crs`."
        )
    if value not in ("1", "2", "3", "4", _UNSPECIFIED):
        raise ConfigError(f"--grade: expected 1 to 4 or {_UNSPECIFIED}, found {value!r}.", "Try --help.")
    values = {
        "scale": scale, "scale_version": SCALE_VERSIONS[scale], "grade": None if value == _UNSPECIFIED else int(value),
    }  # fmt: skip
    _sign("grade", values, account, passphrase_file, as_json=as_json, device=device or "", when=when)


@sign.command()
def death(
    *,
    cause: Annotated[
        str, typer.Option("--cause", metavar="CAUSE", help=f"Cause: one of {', '.join(DEATH)}.")
    ] = "",
    at: AtOption = None,
    ago: AgoOption = None,
    account: AccountOption = None,
    passphrase_file: PassphraseOption = None,
    device: DeviceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sign the death of the patient who is bound. It counts only when a second clinician has countersigned it."""
    when = moment(at, ago)
    if cause not in DEATH:
        raise ConfigError(f"--cause: expected one of {', '.join(DEATH)}, found {cause!r}.", "Try --help.")
    _sign(
        "death",
        {"cause": cause},
        account,
        passphrase_file,
        as_json=as_json,
        device=device or "",
        when=when,
    )


@sign.command()
def countersign(
    *,
    entry: RecordArgument,
    account: AccountOption = None,
    passphrase_file: PassphraseOption = None,
    device: DeviceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Countersign a death as a second clinician. From then on it counts, and the wearable stops sounding."""
    _sign("countersign", {}, account, passphrase_file, as_json=as_json, device=device or "", about=entry)


@sign.command()
def reverse(
    *,
    entry: RecordArgument,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Your reason. Mandatory; it is kept.")
    ] = "",
    account: AccountOption = None,
    passphrase_file: PassphraseOption = None,
    device: DeviceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Reverse a signed grade or death. One clinician can do this. It is final, and it stays in the history."""
    if not reason.strip():
        raise ConfigError("--reason: say why; a reversal without a reason is refused.", "Add --reason TEXT.")
    _sign(
        "reverse",
        {"reason": reason},
        account,
        passphrase_file,
        as_json=as_json,
        device=device or "",
        about=entry,
    )


@sign.command("limits")
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
    account: AccountOption = None,
    passphrase_file: PassphraseOption = None,
    device: DeviceOption = None,
    as_json: JsonOption = False,
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
    paths = default_paths()
    door = agent_door(paths)
    door.begin(device or "")
    done = sign_entry(
        door, find_signer(paths, account, passphrase_file), "limits", signed_values, device=device or ""
    )
    listed = ", ".join(f"{name}={number}" for name, number in numbers.items())
    text = f"{done['patient']}: {listed}, signed by {done['account']} as entry {done['entry'][:8]}."
    lines = [
        marked(done["simulated"], text),
        "This computer judges by them now. The wearable gets them once it is in session, and judges by them then.",
    ]
    show(done, lines, as_json=as_json)


@sign.command("close-episode")
def close_episode(
    *,
    at: AtOption = None,
    ago: AgoOption = None,
    account: AccountOption = None,
    passphrase_file: PassphraseOption = None,
    device: DeviceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sign the end of the episode. Its fever and its masking no longer count, also on the wearable."""
    when = moment(at, ago)
    _sign("close_episode", {}, account, passphrase_file, as_json=as_json, device=device or "", when=when)


def _sign(
    kind: str,
    values: dict[str, Any],
    account: str | None,
    passphrase_file: Any,
    *,
    as_json: bool,
    about: str | None = None,
    **entry: Any,
) -> None:
    paths = default_paths()
    door = agent_door(paths)
    door.begin(entry["device"])
    refers_to = find_entry(about, [one.entry_id for one in _records(entry["device"])]) if about else None
    signer = find_signer(paths, account, passphrase_file)
    done = sign_entry(door, signer, kind, values, refers_to=refers_to, **entry)
    record = next(one for one in _records(entry["device"]) if one.entry_id == (refers_to or done["entry"]))
    data = {**done, "icd10cm": record.icd10cm, "in_force": record.in_force, "record": record.entry_id}
    lines = [
        marked(done["simulated"], f"{done['patient']}: {signed_text(record)}"),
        f"Entry {record.entry_id[:8]}.",
    ]
    if record.kind == "death" and not record.in_force and record.reversed_by is None:
        lines.append(
            f"It counts when a second clinician signs: cytowatch sign countersign {record.entry_id[:8]}"
        )
    show(data, lines, as_json=as_json)


def _records(device: str) -> list[Signed]:
    with open_store(default_paths()) as tx:
        wearer = patient_of(tx, device)
        return [] if tx is None or wearer is None else signed(tx, wearer.row)
