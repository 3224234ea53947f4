"""A person accepts or silences an alarm: the rules of both, for an entry that an account signs and for every other way.

An acceptance says that somebody knows and looks after it. It covers what that person saw and nothing above, and it
lapses while the condition lasts. A silence holds back reminders and sound on this laptop, and accepts nothing.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from crs_core.codes import PRIORITY_HIGH, PRIORITY_LOW, PRIORITY_MEDIUM

from host_agent.people import validity
from host_agent.people.asking import Ask, Refusal
from host_agent.people.entry import Entry
from host_agent.store import acceptances as store
from host_agent.store.acceptances import Acceptance, NewAcceptance, Standing
from host_agent.store.db import Tx
from host_agent.text import local_time

# How long an acceptance holds while the condition lasts, in ms, by priority (a proposal that a clinician must sign).
ACCEPTANCE_MS = {PRIORITY_LOW: 1_800_000, PRIORITY_MEDIUM: 1_800_000, PRIORITY_HIGH: 600_000}
_GRADE_MS = 3_600_000  # a grade rise is no condition that lasts: it is of the past by then, and never lapses
COMMAND_LINE, PAGE, WEARABLE = "command line", "page", "wearable"
_SIGNED_HOW = (COMMAND_LINE, PAGE)
CLOCK_BACK_MS = validity.FUTURE_MS
NOTE_CHARS = 200
_ALARMS_MAX = 64
_KINDS = {"accept": store.ACCEPTED, "silence": store.SILENCED}


class By(NamedTuple):
    """Who acts and how; `audit` None: no account signed it. `record` is the wearable's own record of it."""

    who: str
    how: str
    utc_ms: int
    audit: int | None = None
    note: str = ""
    record: tuple[int, int] | None = None


def longest_ms(priority: int) -> int:
    """How long an acceptance or a silence of this priority may hold."""
    return ACCEPTANCE_MS.get(priority, ACCEPTANCE_MS[PRIORITY_HIGH])


def end_finished(tx: Tx, now_ms: int, episode: int | None = None) -> list[tuple[Acceptance, str]]:
    """End what counts no longer, of one episode (row id) or of all; returns it with the reason.

    An alarm that goes on is unaccepted again.
    """
    found = store.finished(tx, now_ms, clock_back_ms=CLOCK_BACK_MS, episode=episode)
    for one, why in found:
        store.end_acceptance(tx, one, why, now_ms)
    return found


def accept(tx: Tx, episode: Standing, by: By, seen: int) -> Acceptance:
    """Accept an alarm that stands, up to the priority `seen`. While one counts it gets no longer by another one."""
    first = store.counting(tx, episode.row)
    holds_ms = _GRADE_MS if episode.kind == "grade" else longest_ms(seen)
    until_ms = first.until_utc_ms if first else by.utc_ms + holds_ms
    is_on_wearable = episode.kind == "alarm" and by.record is None
    made = store.add_acceptance(
        tx,
        NewAcceptance(
            episode.row, store.ACCEPTED, by.who, by.how, by.audit, by.note, seen, by.utc_ms, until_ms,
            first.id if first else None, store.WAITING if is_on_wearable and not first else "", by.record,
        ),
    )  # fmt: skip
    if first is None:
        store.set_accepted(tx, made)
    return made


def renew(tx: Tx, episode: Standing, by: By, seen: int) -> Acceptance:
    """As `accept`, for what the wearable journaled: it writes no record while an acceptance counts there."""
    first = store.counting(tx, episode.row)
    if first is not None:
        store.note_end(tx, first.id, store.RENEWED, by.utc_ms)
    return accept(tx, episode, by, seen)


def keep_past(tx: Tx, episode: Standing, by: By, seen: int, why: str) -> None:
    """Keep an acceptance that counted once and does not count now."""
    until_ms = by.utc_ms + longest_ms(seen)
    made = store.add_acceptance(
        tx,
        NewAcceptance(
            episode.row, store.ACCEPTED, by.who, by.how, by.audit, by.note, seen, by.utc_ms, until_ms, record=by.record
        ),
    )  # fmt: skip
    store.note_end(tx, made.id, why, by.utc_ms)


def silence(tx: Tx, episode: Standing, by: By, seen: int, until_ms: int) -> Acceptance:
    """Silence an alarm until then. While a silence counts, another one ends no later."""
    first = store.counting(tx, episode.row, store.SILENCED)
    if first is not None:
        until_ms = min(until_ms, first.until_utc_ms)
    return store.add_acceptance(
        tx,
        NewAcceptance(
            episode.row, store.SILENCED, by.who, by.how, by.audit, by.note, seen, by.utc_ms, until_ms,
            first.id if first else None,
        ),
    )  # fmt: skip


def why_not(episode: Standing | None, key: str, seen: int, binding: int | None) -> Refusal | None:
    """Why this alarm cannot be accepted as somebody saw it; `binding` is the patient (row id) that they mean."""
    if episode is None:
        return Refusal("no_such_alarm", f"No alarm {key} is known here.")
    if not episode.stands:
        return Refusal("alarm_ended", "This alarm has ended.")
    if episode.binding != binding:
        return Refusal("wrong_patient", "This alarm is about another patient.")
    if episode.priority > seen:
        return Refusal("alarm_rose", "This alarm has risen since you saw it.")
    return None


def note_fault(note: str) -> str:
    """What a note must be; "" when it is so."""
    fits = len(note) <= NOTE_CHARS and note.isprintable()
    return "" if fits else f"at most {NOTE_CHARS} characters that can be read, on one line"


def fault(kind: str, values: dict[str, Any], now_ms: int, *, is_now: bool = True) -> str:
    """What is wrong with the values of an entry of kind `accept` or `silence`; "" when nothing is.

    `is_now` False: it was taken earlier, and its end may be past.
    """
    wanted = {"alarms", "how", "note"} | ({"until_utc_ms"} if kind == "silence" else set())
    if set(values) != wanted:
        return f"it has {', '.join(sorted(wanted))}"
    alarms, note = values["alarms"], values["note"]
    if not isinstance(alarms, dict) or not 0 < len(alarms) <= _ALARMS_MAX:
        return "alarms: the key of each alarm, and the priority that was seen"
    if not all(type(one) is int and PRIORITY_LOW <= one <= PRIORITY_HIGH for one in alarms.values()):
        return f"alarms: a priority is {PRIORITY_LOW} to {PRIORITY_HIGH}"
    if values["how"] not in _SIGNED_HOW:
        return f"how: one of {', '.join(_SIGNED_HOW)}"
    if not isinstance(note, str) or note_fault(note):
        return f"note: {note_fault(str(note)) or 'a text'}"
    if kind == "silence" and is_now:
        until_ms = values["until_utc_ms"]
        if type(until_ms) is not int or until_ms <= now_ms:
            return "until_utc_ms: a silence ends at a time ahead"
        longest = min(map(longest_ms, alarms.values()))
        if until_ms > now_ms + longest + CLOCK_BACK_MS:
            return (
                f"until_utc_ms: a silence of this alarm may last until {local_time(now_ms + longest)} at most"
            )
    return ""


def check(tx: Tx, ask: Ask) -> Refusal | None:
    """Whether these alarms may be accepted or silenced by who signed it."""
    entry, binding = ask.entry, ask.wearer.row if ask.wearer else None
    if why := fault(entry.kind, entry.values, ask.now_ms):
        return Refusal("bad_value", why)
    if abs(entry.observed_utc_ms - entry.entered_utc_ms) > validity.FUTURE_MS:
        return Refusal("expired", "An alarm is accepted now, and not at another time.")
    for key, seen in entry.values["alarms"].items():
        if refusal := why_not(store.episode_by_key(tx, key, ask.now_ms), key, seen, binding):
            return refusal
    return None


def differing(tx: Tx, entries: dict[int, Entry]) -> Iterator[int]:
    """Numbers of the chain whose stored acceptances are not the signed ones; `entries` are all signed ones."""
    stored: dict[int, set[tuple[object, ...]]] = {}
    for audit, *row in store.signed_acceptances(tx):
        stored.setdefault(audit, set()).add(tuple(row))
    signed = {
        audit: {
            (_KINDS[entry.kind], entry.account, key, seen, entry.values["how"], entry.values["note"].strip())
            for key, seen in entry.values["alarms"].items()
        }
        for audit, entry in entries.items()
        if entry.kind in _KINDS and not fault(entry.kind, entry.values, 0, is_now=False)
    }
    for audit in sorted({*stored, *signed}):
        if stored.get(audit) != signed.get(audit):
            yield audit


def keep(tx: Tx, ask: Ask, audit: int) -> None:
    """Accept or silence each alarm of the entry."""
    entry, values = ask.entry, ask.entry.values
    by = By(entry.account, values["how"], ask.now_ms, audit, values["note"].strip())
    for key, seen in values["alarms"].items():
        episode = store.episode_by_key(tx, key, ask.now_ms)
        assert episode is not None
        end_finished(tx, ask.now_ms, episode.row)
        if entry.kind == "accept":
            accept(tx, episode, by, seen)
        else:
            silence(tx, episode, by, seen, values["until_utc_ms"])
