"""`context`: what only people know, entered and signed; what is in force; what was ever entered."""

import sys
from typing import Annotated, Any

import typer

from host_agent.clock import RealClock
from host_agent.errors import ConfigError, HostAgentError
from host_agent.paths import default_paths
from host_agent.people import account_key, context_values
from host_agent.people.asking import NoWearer, wearers
from host_agent.people.composing import When, sign_entry
from host_agent.people.context_keys import context_keys, meant
from host_agent.store.accounts import account as find_account
from host_agent.store.context import context_entries
from host_agent.store.db import DatabaseError
from host_agent.store.devices import device as find_device
from host_agent.terminal import exits
from host_agent.terminal.broken import leave_when_broken
from host_agent.terminal.bundles import with_bundles
from host_agent.terminal.context_lines import entry_line, value_text, values_text
from host_agent.terminal.entry_ids import find_entry
from host_agent.terminal.interview import GivenUp, agrees, ask_all
from host_agent.terminal.options import DeviceOption, JsonOption
from host_agent.terminal.output import nothing, say, show
from host_agent.terminal.pager import NoPagerOption
from host_agent.terminal.reading_store import open_store
from host_agent.terminal.running_agent import live_status
from host_agent.terminal.signing import (
    Observed,
    Who,
    agent_door,
    find_signer_again,
    moment,
    sign_about_patient,
    which_account,
)
from host_agent.terminal.typed_values import parse_values, refuse_fault
from host_agent.terminal.words import offering
from host_agent.text import local_of_iso, local_time, marked, span_text, table
from host_agent.views.context_rows import entry_rows, patient_of, rows_in_force, waits_for
from host_agent.views.entry_words import entry_words

context = typer.Typer(
    help="Enter what only people know: blood pressure, oxygen, drugs. Entering needs the running agent.",
    no_args_is_help=True,
)


def _pairs(incomplete: str) -> list[str]:
    """What the shell offers: keys, and after `key=` its words."""
    key, equals, _ = incomplete.partition("=")
    known = context_keys()
    if not equals:
        return [f"{one.key}=" for one in known if one.key.startswith(key.lower())]
    words = next((one.words for one in known if one.key == key), ())
    return offering([f"{key}={word}" for word in words])(incomplete)


ValuesArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="KEY=VALUE...",
        autocompletion=_pairs,
        help="For example oxygen=face_mask vasopressors=norepinephrine,vasopressin. "
        "`cytowatch context keys` lists all keys.",
    ),
]
EntryArgument = Annotated[
    str,
    typer.Argument(
        metavar="ENTRY", help="The entry, by its id or the start of it, as `context history` shows it."
    ),
]


@context.command("set")
@with_bundles
def set_values(
    *,
    values: ValuesArgument,
    observed: Observed,
    who: Who,
) -> None:
    """Enter what is known, now or at a given time, and sign it. Write a list as a,b. A temperature needs its site."""
    when = moment(observed)
    parsed = parse_values(values)
    _enter(who, parsed, when)


@context.command()
@with_bundles
def enter(*, observed: Observed, who: Who) -> None:
    """Be asked for everything, one question after the other, and sign the answers once. On a terminal only.

    Enter skips a question. What was understood is shown before anything is signed; Ctrl-C enters nothing. ICE is asked
    step by step: ten questions, each right or wrong. What your account may not enter is not asked.
    """
    when = moment(observed)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ConfigError(
            "There is no terminal to ask on.",
            "Give the values: cytowatch context set blood_pressure=hypotension",
        )
    paths = default_paths()
    door = agent_door(paths)
    opening = door.begin(who.device or "")
    name = which_account(paths, who.account)
    account_key.check_there(paths.accounts, name)
    with open_store(paths) as tx:
        found = None if tx is None else find_account(tx, name)
    if found is None:
        raise HostAgentError(f"There is no account {name} here.", "See `cytowatch account list`.")
    when = when if when.utc_ms is not None else When(opening.now_utc_ms - when.ago_ms)
    say(
        marked(
            opening.simulated, f"About {opening.patient}, observed at {local_time(int(when.utc_ms or 0))}."
        )
    )
    say("Enter skips a question. Ctrl-C ends, and nothing is entered.")
    try:
        values = ask_all(found.role)
        if not values:
            nothing("Nothing was answered, so nothing was entered.", {"entry": None}, as_json=who.as_json)
        say("", f"Understood: {entry_words(values)}.")
        if fault := context_values.fault(values):
            raise ConfigError(f"{fault}. Nothing was entered.", "Begin again: cytowatch context enter")
        if not agrees(f"Sign this about {opening.patient} as {name}? y to sign, Enter to drop it: "):
            nothing("Nothing was entered.", {"entry": None}, as_json=who.as_json)
        signer = find_signer_again(paths, name, who.passphrase_file)
    except (GivenUp, KeyboardInterrupt):
        say("", "Nothing was entered.")
        raise typer.Exit(exits.INTERRUPTED) from None
    done = sign_entry(door, signer, "context", values, device=who.device or "", when=when)
    _show_entered(done, as_json=who.as_json)


@context.command()
@with_bundles
def withdraw(
    *,
    keys: Annotated[
        list[str],
        typer.Argument(
            metavar="KEY...",
            autocompletion=offering([one.key for one in context_keys()]),
            help="Keys whose values are no longer known. `cytowatch context keys` lists all keys.",
        ),
    ],
    observed: Observed,
    who: Who,
) -> None:
    """Say that values are no longer known. Earlier entries stay in the history."""
    when = moment(observed)
    values: dict[str, Any] = dict.fromkeys(keys)
    if "temperature_cc" in values or "site" in values:
        values |= {"temperature_cc": None, "site": None}
    refuse_fault(values, [meant(key) for key in keys])
    _enter(who, values, when)


@context.command()
@with_bundles
def correct(
    *,
    entry: EntryArgument,
    values: ValuesArgument,
    who: Who,
) -> None:
    """Replace a wrong entry. The new entry keeps its time, and the wrong one stays in the history."""
    parsed = parse_values(values)
    paths = default_paths()
    agent_door(paths).begin(who.device or "")
    with open_store(paths) as tx:
        wearer = patient_of(tx, who.device)
        entries = [] if tx is None or wearer is None else context_entries(tx, wearer.row)
    observed = {one.entry_id: one.observed_utc_ms for one in entries}
    found = find_entry(entry, list(observed))
    _enter(who, parsed, When(observed[found]), refers_to=found)


@context.command()
def keys(no_pager: NoPagerOption = False, as_json: JsonOption = False) -> None:
    """Show every key that can be entered, with what it takes. Write several values of one key as a,b."""
    known = context_keys()
    data = {"keys": [{**one._asdict(), "words": list(one.words)} for one in known]}
    lines = table(("KEY", "TAKES"), [(one.key, one.takes) for one in known])
    last = (
        "Give temperature_cc and site together. "
        "context=complete says that everything else was looked for and is absent."
    )
    show(data, [*lines, last], as_json=as_json, pages=not no_pager)


@context.command("show")
def show_in_force(device: DeviceOption = None, as_json: JsonOption = False) -> None:
    """Show what counts now: value, age, when it expires, who signed, whether the wearable has it."""
    paths = default_paths()
    live = live_status(paths)
    now_ms = live["now_utc_ms"] if live else RealClock().utc_ms()
    with open_store(paths) as tx:
        wearer = patient_of(tx, device)
        bound = 0 if tx is None else len(wearers(tx, device or ""))
        rows = []
        if tx is not None and wearer is not None:
            name = find_device(tx, wearer.device).device_id.hex()
            seen: dict[str, Any] | None = (
                next((one for one in live["devices"] if one["device_id"] == name), {}) if live else None
            )
            try:
                rows = rows_in_force(tx, wearer.row, now_ms, waits_for(seen))
            except (HostAgentError, DatabaseError):
                raise
            except Exception as error:  # a damaged row
                leave_when_broken({name: f"{type(error).__name__}: {error}"})
    data = {"patient": wearer.patient if wearer else None, "context": rows}
    if wearer is None:
        why = NoWearer(bound, device or "")
        nothing(f"{why} {why.advice}", data, as_json=as_json)
    if not rows:
        nothing(f"Nothing was entered about {wearer.patient}: all of it is unknown.", data, as_json=as_json)
    lines = [marked(wearer.simulated, f"Patient {wearer.patient}, {local_time(now_ms)}:")]
    lines += table(
        ("KEY", "VALUE", "AGE", "COUNTS UNTIL", "SIGNED BY", "ENTRY", ""),
        [
            (row["key"], value_text(row["value"]), _age(row), _until(row), row["account"],
             row["entry"][:8], row["wearable"])
            for row in rows
        ],
    )  # fmt: skip
    show(data, [*lines, "Every other key is unknown."], as_json=as_json)


@context.command()
def history(
    device: DeviceOption = None, no_pager: NoPagerOption = False, as_json: JsonOption = False
) -> None:
    """Show every entry about the patient in order of observation, also corrected and withdrawn ones."""
    with open_store(default_paths()) as tx:
        wearer = patient_of(tx, device)
        rows = [] if tx is None or wearer is None else list(entry_rows(tx, wearer.row))
    data = {"patient": wearer.patient if wearer else None, "entries": rows}
    if not rows:
        nothing("Nothing was entered about a patient who is bound here.", data, as_json=as_json)
    show(
        data,
        [
            f"{local_of_iso(row['at'], with_date=True)}  {marked(row['simulated'], entry_line(row))}"
            for row in rows
        ],
        as_json=as_json,
        pages=not no_pager,
    )


def _enter(who: Who, values: dict[str, Any], when: When, refers_to: str | None = None) -> None:
    done = sign_about_patient(who, "context", values, when=when, find_target=lambda: refers_to)
    _show_entered(done, as_json=who.as_json)


def _show_entered(done: dict[str, Any], *, as_json: bool) -> None:
    to_wearable = (
        "The wearable gets it when it is in session. `cytowatch context show` says whether it has it."
        if done["for_wearable"]
        else "Nothing of it goes to the wearable."
    )
    text = (
        f"{values_text(done['values'])} of {done['patient']} at {local_time(done['observed_utc_ms'])}:"
        f" signed by {done['account']} as entry {done['entry'][:8]}."
    )
    show(done, [marked(done["simulated"], text), to_wearable], as_json=as_json)


def _age(row: dict[str, Any]) -> str:
    return "at a time not known" if row["age_s"] is None else span_text(row["age_s"])


def _until(row: dict[str, Any]) -> str:
    if row["withdrawn"]:
        return "not known"
    if row["expired"]:
        return "expired: enter it again" if row["age_s"] is not None else "does not count: enter it again"
    if row["age_s"] is None:
        return "not known: enter it again"
    return "it does not expire" if row["expires"] is None else local_of_iso(row["expires"], with_date=True)
