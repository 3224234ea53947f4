"""The alarms of one patient in a span of time, each with its end and with who accepted it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from host_agent.escalation.alarm_words import alarm_noun
from host_agent.escalation.episodes import alarm_key, grade_key
from host_agent.store.acceptances import ACCEPTED, acceptances_of, episode_by_key
from host_agent.store.alarm_changes import AlarmChange, alarm_changes
from host_agent.store.bindings import Binding
from host_agent.store.db import Tx
from host_agent.store.host_alarms import host_alarms
from host_agent.store.journals import current_journal_of_binding, journals_of_binding
from host_agent.sync.timebase import Timebase, load_timebase
from host_agent.text import iso_utc, local_time, priority_name


class _Alarm(NamedTuple):
    """Times are UTC ms, None: not known. `alarm` 0: the grade rose. `stands`: it has not ended."""

    key: str
    alarm: int
    peak: int
    began_ms: int | None
    ended_ms: int | None
    stands: bool
    by: str
    simulated: bool


def alarms_between(tx: Tx, binding: Binding, from_ms: int, now_ms: int) -> list[dict[str, Any]]:
    """What stands first, the most urgent on top, then the newest; an alarm that ended before `from_ms` is left out."""
    timebase = load_timebase(tx, binding.device)
    found = [*_of_wearable(tx, binding, timebase), *_rises(tx, binding, now_ms), *_of_laptop(tx, binding)]
    asked = [one for one in found if one.stands or (one.ended_ms or one.began_ms or from_ms) >= from_ms]
    asked.sort(
        key=lambda one: (one.stands, one.peak if one.stands else 0, one.began_ms or 0, one.key), reverse=True
    )
    return [_row(tx, one, now_ms) for one in asked]


def _of_wearable(tx: Tx, binding: Binding, timebase: Timebase) -> Iterator[_Alarm]:
    """An alarm of a journal that the wearable does not show any more ended at a time that nobody knows."""
    current = current_journal_of_binding(tx, binding.row)
    for journal in journals_of_binding(tx, binding.row):
        begun: dict[int, tuple[AlarmChange, int]] = {}
        for change in alarm_changes(tx, journal.id):
            first, peak = begun.pop(change.alarm, (change, 0))
            peak = max(peak, change.priority)
            if change.priority:
                begun[change.alarm] = first, peak
            elif peak:
                key = alarm_key(journal, change.alarm, first.seq)
                yield _Alarm(key, change.alarm, peak, _utc_ms(timebase, first), _utc_ms(timebase, change), False,
                             "wearable", bool(first.simulated))  # fmt: skip
        for first, peak in begun.values():
            key = alarm_key(journal, first.alarm, first.seq)
            stands = current is not None and journal.id == current.id
            yield _Alarm(key, first.alarm, peak, _utc_ms(timebase, first), None, stands, "wearable",
                         bool(first.simulated))  # fmt: skip


def _rises(tx: Tx, binding: Binding, now_ms: int) -> Iterator[_Alarm]:
    """A rise of the grade has no end of its own."""
    for key in dict.fromkeys(grade_key(journal) for journal in journals_of_binding(tx, binding.row)):
        one = episode_by_key(tx, key, now_ms)
        if one is not None:
            yield _Alarm(key, 0, one.priority, one.opened_utc_ms, None, one.stands, "wearable", one.simulated)


def _of_laptop(tx: Tx, binding: Binding) -> Iterator[_Alarm]:
    for one in host_alarms(tx):
        if one.device == binding.device and (one.ended_utc_ms or one.raised_utc_ms) >= binding.started_utc_ms:
            yield _Alarm(f"host-{one.id}", one.alarm, one.priority, one.raised_utc_ms, one.ended_utc_ms,
                         one.ended_utc_ms is None, "laptop", binding.simulated)  # fmt: skip


def _utc_ms(timebase: Timebase, change: AlarmChange) -> int | None:
    moment = timebase.resolve_stored(change.boot, change.t_ms)
    return moment.utc_ms if moment else None


def _row(tx: Tx, one: _Alarm, now_ms: int) -> dict[str, Any]:
    episode = episode_by_key(tx, one.key, now_ms)
    accepted: dict[str, int] = {}
    for done in acceptances_of(tx, episode.row) if episode is not None else ():
        if done.kind == ACCEPTED:
            accepted.setdefault(done.who, done.at_utc_ms)
    by = ", ".join(f"{who} at {_at(at_ms)}" for who, at_ms in accepted.items())
    if one.stands:
        end = "stands now"
    else:
        end = "its end is not known" if one.ended_ms is None else f"until {_at(one.ended_ms)}"
    noun = alarm_noun(one.alarm) if one.alarm else "the grade rose"
    source = " (raised by the laptop)" if one.by == "laptop" else ""
    return {
        "alarm": one.alarm, "priority": priority_name(one.peak), "by": one.by, "stands": one.stands,
        "began": iso_utc(one.began_ms) if one.began_ms is not None else None,
        "ended": iso_utc(one.ended_ms) if one.ended_ms is not None else None, "simulated": one.simulated,
        "accepted": [{"who": who, "at": iso_utc(at_ms)} for who, at_ms in accepted.items()],
        "text": f"{_at(one.began_ms)}  {priority_name(one.peak)}: {noun}{source}, {end};"
        f" {f'accepted by {by}' if by else 'nobody accepted it'}.",
    }  # fmt: skip


def _at(utc_ms: int | None) -> str:
    return "time not known" if utc_ms is None else local_time(utc_ms, with_date=True, with_seconds=False)
