"""`alarm`: the alarms that stand, and a person who accepts or silences one by name."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer

from host_agent.clock import RealClock
from host_agent.control.socket import ControlFailed
from host_agent.errors import ConfigError
from host_agent.paths import Paths, default_paths
from host_agent.people.accepting import COMMAND_LINE, longest_ms, note_fault
from host_agent.people.account_key import Signer
from host_agent.people.asking import EntryRefused, Refusal
from host_agent.people.composing import Door, sign_entry
from host_agent.store.acceptances import of_audit
from host_agent.store.accounts import account
from host_agent.terminal.bundles import with_bundles
from host_agent.terminal.options import DeviceOption, JsonOption, PatientOption
from host_agent.terminal.output import nothing, show
from host_agent.terminal.pager import NoPagerOption
from host_agent.terminal.reading_store import open_store
from host_agent.terminal.running_agent import live_status
from host_agent.terminal.signing import Who, agent_door, find_signer
from host_agent.terminal.times import parse_moment_ms, parse_span_s
from host_agent.terminal.which_alarm import NoSuchAlarm, Row, about, the_alarm
from host_agent.text import local_of_iso, local_time, marked
from host_agent.views.standing_rows import acceptance_fields, standing_rows

_TRIES = 5  # with --all: an alarm may end or rise between reading and signing
_NOTHING = "No alarm stands on what is stored here. It says nothing about a wearable that is not heard."
alarm = typer.Typer(
    help="The alarms that stand; accept one so that everybody knows who comes.", no_args_is_help=True
)
AlarmArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="ALARM",
        help="Its number or name, as `cytowatch alarm list` shows it. Not needed while one alarm stands.",
    ),
]
NoteOption = Annotated[
    str, typer.Option("--note", metavar="TEXT", help="A few words that are kept with it, for example where you are.")
]  # fmt: skip


@alarm.command("list")
def list_(
    device: DeviceOption = None, patient: PatientOption = None, no_pager: NoPagerOption = False,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Show every alarm that stands, the most urgent first, and who accepted it. Works without the agent."""
    rows = about(_rows(default_paths()), device, patient)
    if not rows:
        nothing(_NOTHING, {"alarms": []}, as_json=as_json)
    lines = [line for row in rows for line in _lines(row)]
    show({"alarms": rows}, lines, as_json=as_json, pages=not no_pager)


@alarm.command()
@with_bundles
def accept(
    *,
    which: AlarmArgument = None,
    everything: Annotated[bool, typer.Option("--all", help="Every alarm that stands.")] = False,
    patient: PatientOption = None,
    note: NoteOption = "",
    who: Who,
) -> None:
    """Say that you know of an alarm and look after it. Everyone who was told of it is told your name.

    The wearable plays "somebody knows" and stops sounding. An alarm that rises is never covered. While the condition
    lasts, the acceptance ends after 10 minutes for a HIGH alarm and after 30 minutes for any other: then the alarm is
    nobody's again, sounds again, and everyone is told. Every account may accept. Whoever comes second is told who was
    first.
    """
    _check_note(note)
    if bool(which) and everything:
        raise ConfigError("--all cannot be combined with an alarm.", "Give one or the other.")
    paths = default_paths()
    door = agent_door(paths)
    door.begin(None)  # without an agent this fails before anybody types a passphrase
    signer: Signer | None = None
    for attempt in range(_TRIES):
        rows = about(_rows(paths), who.device, patient)
        meant = rows if everything else [the_alarm(rows, which)]
        if not meant:
            nothing(_NOTHING, {"accepted": []}, as_json=who.as_json)
        waiting = [row for row in meant if row["acceptance"] is None]
        signer = signer or find_signer(paths, who.account, who.passphrase_file)
        if not waiting:  # nothing is signed, so nobody else looks at the account
            _check_account(paths, signer)
        try:
            done = _sign(door, signer, "accept", waiting, {"note": note, "how": COMMAND_LINE})
            break
        except (EntryRefused, ControlFailed) as error:
            if not everything or attempt == _TRIES - 1 or not _has_changed(paths, who, patient, rows, error):
                raise
    results = _results(paths, meant, done)
    lines = [line for one in results for line in _accepted_lines(one)]
    show({"accepted": results}, lines, as_json=who.as_json)


@alarm.command()
@with_bundles
def silence(
    *,
    which: AlarmArgument = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="When it ends, e.g. 2026-03-31T14:05.")
    ] = None,
    lasting: Annotated[
        str | None, typer.Option("--for", metavar="SPAN", help="How long from now, for example 5m.")
    ] = None,
    patient: PatientOption = None,
    note: NoteOption = "",
    who: Who,
) -> None:
    """Hold back this laptop's reminders about an alarm until a fixed time. It accepts nothing.

    It ends after 10 minutes at most for a HIGH alarm and after 30 minutes for any other, and at once when the alarm
    rises. A second silence ends no later than the first. The wearable goes on sounding, and the next person is called
    as planned. A nurse or a clinician may do it.
    """
    _check_note(note)
    if bool(until) == bool(lasting):
        raise ConfigError("Say until when: --until TIME or --for SPAN.", "For example: --for 5m")
    paths = default_paths()
    door = agent_door(paths)
    now_ms = door.begin(None).now_utc_ms
    row = the_alarm(about(_rows(paths), who.device, patient), which)
    if until:
        until_ms, option = parse_moment_ms(until, "--until"), "--until"
    else:
        until_ms, option = now_ms + round(parse_span_s(str(lasting), "--for") * 1000), "--for"
    latest_ms = now_ms + longest_ms(row["level"])
    if not now_ms < until_ms <= latest_ms:
        raise ConfigError(
            f"{option}: a silence of {row['name']} may last until {local_time(latest_ms)} at most.",
            "Give an earlier end, or accept the alarm: cytowatch alarm accept",
        )
    signer = find_signer(paths, who.account, who.passphrase_file)
    values = {"note": note, "how": COMMAND_LINE, "until_utc_ms": until_ms}
    (one,) = _results(paths, [row], _sign(door, signer, "silence", [row], values))
    said = (
        f"{one['name']}: reminders of this laptop are held back until {local_of_iso(one['until'])}."
        " This accepts nothing: unless somebody accepted it, it sounds on the wearable and the next person is called."
    )
    show({"silenced": one}, [marked(one["simulated"], said)], as_json=who.as_json)


def _check_note(note: str) -> None:
    """Before anything is signed; ConfigError."""
    if why := note_fault(note):
        raise ConfigError(f"--note: {why}.", "Write it shorter, without line breaks.")


def _check_account(paths: Paths, signer: Signer) -> None:
    """EntryRefused when this account is unknown here, or disabled."""
    with open_store(paths) as tx:
        known = None if tx is None else account(tx, signer.name)
    if known is None or known.key_id != signer.key_id:
        raise EntryRefused(Refusal("unknown_account", f"There is no account {signer.name}."))
    if known.is_disabled:
        raise EntryRefused(Refusal("disabled_account", f"Account {signer.name} is disabled."))


def _rows(paths: Paths) -> list[Row]:
    live = live_status(paths)
    now_ms = live["now_utc_ms"] if live else RealClock().utc_ms()
    with open_store(paths) as tx:
        return [] if tx is None else standing_rows(tx, now_ms)


def _has_changed(
    paths: Paths, who: Who, patient: str | None, before: Sequence[Row], error: Exception
) -> bool:
    """Whether other alarms stand than those that were to be signed; a patient without one is no error then."""
    if isinstance(error, ControlFailed) and error.failed_code != EntryRefused.code:
        return False
    try:
        now = about(_rows(paths), who.device, patient)
    except NoSuchAlarm:
        return True
    return [(row["key"], row["level"]) for row in now] != [(row["key"], row["level"]) for row in before]


def _sign(
    door: Door, signer: Signer | None, kind: str, rows: Iterable[Row], values: dict[str, Any]
) -> dict[str, int]:
    """Sign one entry for each patient concerned; key of an alarm -> number of the entry in the chain."""
    by_binding: dict[str | None, list[Row]] = {}
    for row in rows:
        by_binding.setdefault(row["binding_id"], []).append(row)
    done: dict[str, int] = {}
    for binding, of_one in by_binding.items():
        assert signer is not None
        alarms = {str(row["key"]): int(row["level"]) for row in of_one}
        device = str(of_one[0]["device_id"]) if binding else None
        taken = sign_entry(door, signer, kind, {"alarms": alarms, **values}, device=device)
        done |= dict.fromkeys(alarms, int(taken["audit"]))
    return done


def _results(paths: Paths, rows: Sequence[Row], done: dict[str, int]) -> list[dict[str, Any]]:
    """What came of each alarm: the row that was made, or who had accepted it before."""
    results = []
    with open_store(paths) as tx:
        for row in rows:
            audit = done.get(str(row["key"]))
            shared = {
                key: row[key] for key in ("number", "name", "patient", "device_id", "priority", "simulated")
            }
            if audit is None or tx is None:
                results.append(
                    {**shared, **(row["acceptance"] or {}), "first": (row["acceptance"] or {}).get("who")}
                )
                continue
            made = next(one for one in of_audit(tx, audit) if one.episode == row["number"])
            first = None
            if made.after is not None:
                again = standing_rows(tx, made.at_utc_ms)
                first = next((one["acceptance"] for one in again if one["number"] == row["number"]), None)
            results.append(
                {**shared, **(first or acceptance_fields(made)), "first": first["who"] if first else None}
            )
    return results


def _accepted_lines(one: dict[str, Any]) -> Iterable[str]:
    about_whom = f" of {one['patient']}" if one["patient"] else ""
    until = local_of_iso(one["until"])
    if one["first"]:
        said = f"{one['name']}{about_whom}: {one['first']} accepted it at {local_of_iso(one['at'])}, until {until}."
        yield marked(one["simulated"], said)
        return
    yield marked(
        one["simulated"],
        f"{one['name']}{about_whom}: accepted by {one['who']} until {until}. The alarm still stands.",
    )
    if one["wearable"]:
        yield "       The wearable is told as soon as it is in session; `cytowatch alarm list` shows when it knows."


def _lines(row: Row) -> Iterable[str]:
    yield f"{row['number']:>4}  {row['name']}  {row['text']}"
    for kind, words in (("acceptance", "accepted by"), ("silence", "reminders held back by")):
        if one := row[kind]:
            told = f", {one['wearable_text']}" if one["wearable_text"] else ""
            note = f" ({one['note']})" if one["note"] else ""
            yield f"      {words} {one['who']}{note}, by {one['how']}, until {local_of_iso(one['until'])}{told}"
    if not row["acceptance"]:
        yield f"      nobody has accepted it: cytowatch alarm accept {row['number']}"
