"""Temperature and oxygen of one patient over time, for a chart and for the table beside it. Gaps stay gaps.

Six hours show every reading, as they come each 10 s. A longer time, or more readings, show for each bucket the lowest
and the highest valid value, so that no peak is averaged away.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from crs_core import units

from host_agent.store.alarm_changes import alarm_changes
from host_agent.store.bindings import Binding
from host_agent.store.db import Tx
from host_agent.store.journals import journals_of_binding
from host_agent.store.readings import newest_readings
from host_agent.store.rollups import BUCKET_MS, count_rollups, rollups_of
from host_agent.sync.timebase import Timebase, load_timebase
from host_agent.text import local_time, percent_text, temperature_words, utc_ms_of_iso
from host_agent.views.alarm_history import AlarmsTold
from host_agent.views.context_rows import entry_rows
from host_agent.views.entry_words import entry_words

SPANS_H = {"6h": 6, "24h": 24, "all": 0}
_READINGS_MAX = 6 * 360 + 60  # six hours at 10 s, and some
_POINTS_MAX = 1000
_HOUR_MS, _QUARTER_MS = 3_600_000, 900_000
_SINGLE_MS = 6 * _HOUR_MS  # up to here every reading is shown
_GAP_MS = 45_000  # readings come each 10 s, some are lost; a longer silence is drawn as one


class Point(NamedTuple):
    """Lowest and highest valid value of a moment or bucket that begins at `utc_ms`; None: none was valid."""

    utc_ms: int
    temp_low_cc: int | None
    temp_high_cc: int | None
    spo2_low: int | None
    spo2_high: int | None


class Course(NamedTuple):
    """Points in order of time. Two that are more than one and a half `step_ms` apart have a gap between them.

    `happened` are (UTC ms, text). Left out of `points`: `later` of them, whose time is after that of this laptop, and
    `undated`, whose time is not known.
    """

    step_ms: int
    points: list[Point]
    happened: list[tuple[int, str]]
    later: int
    undated: int

    def with_gaps(self) -> Iterator[Point]:
        """The points, and an empty one wherever nothing came for longer than a step: no line may run on over it."""
        last: Point | None = None
        for one in self.points:
            if last is not None and one.utc_ms - last.utc_ms > self.step_ms * 3 // 2:
                yield Point(last.utc_ms + 1000, None, None, None, None)
            yield one
            last = one


def course(tx: Tx, binding: Binding, from_ms: int, now_ms: int) -> Course:
    """What was measured about one patient from `from_ms` to `now_ms`."""
    timebase = load_timebase(tx, binding.device)
    single = _single(tx, binding, timebase, from_ms) if now_ms - from_ms <= _SINGLE_MS else None
    step_ms, points, undated = single or _bucketed(tx, binding, timebase, from_ms)
    past = [one for one in points if one.utc_ms <= now_ms]
    happened = sorted(one for one in _events(tx, binding, timebase) if from_ms <= one[0] <= now_ms)
    return Course(step_ms, past, happened, len(points) - len(past), undated)


def trend(tx: Tx, binding: Binding, span: str, now_ms: int) -> dict[str, Any]:
    """Columns for a chart (seconds, hundredths of a °C, tenths of a percent), events, and rows of hours in words."""
    from_ms = now_ms - SPANS_H[span] * _HOUR_MS if SPANS_H[span] else 0
    found = course(tx, binding, from_ms, now_ms)
    step_ms, points, happened, later, undated = found
    columns = list(zip(*found.with_gaps(), strict=True)) or [()] * 5
    return {
        "span": span, "simulated": bool(binding.simulated), "bucket_s": 0 if step_ms == _GAP_MS else step_ms // 1000,
        "columns": [[one // 1000 for one in columns[0]], *(list(column) for column in columns[1:])],
        "events": [{"t": at // 1000, "at": local_time(at, with_date=True, with_seconds=False), "text": text}
                   for at, text in happened],
        "hours": _hours(points), "left_out": list(_left_out(later, undated)),
    }  # fmt: skip


def _left_out(later: int, undated: int) -> Iterator[str]:
    """What is not drawn, and why."""
    if later:
        yield "Readings lie after the time that this laptop shows: its clock was changed. They are not drawn."
    if undated:
        yield "Readings whose time is not known are not drawn."


_Found = tuple[
    int, list[Point], int
]  # width of a step in ms, the points in order, and how many have no known time


def _single(tx: Tx, binding: Binding, timebase: Timebase, from_ms: int) -> _Found | None:
    """Each reading. None: a wearable that reads more often has more of them than are drawn one by one."""
    found, undated = [], 0
    for journal in journals_of_binding(tx, binding.row):
        for number, one in enumerate(newest_readings(tx, journal.id, _READINGS_MAX + 1)):
            moment = timebase.resolve_stored(one.boot, one.t_ms)
            undated += moment is None
            if moment is None or moment.utc_ms < from_ms:
                continue
            if number == _READINGS_MAX:
                return None
            temp = one.temp_cc if units.temp_state_of(one.status) == units.TEMP_VALID else None
            spo2 = one.spo2_tenths if units.ppg_state_of(one.status) == units.PPG_VALID else None
            found.append(Point(moment.utc_ms, temp, temp, spo2, spo2))
    return _GAP_MS, sorted(found), undated


def _bucketed(tx: Tx, binding: Binding, timebase: Timebase, from_ms: int) -> _Found:
    """As many buckets as a chart can show."""
    journals = journals_of_binding(tx, binding.row)
    together = 1 if from_ms else -(-sum(count_rollups(tx, one.id) for one in journals) // _POINTS_MAX) or 1
    found, undated = [], 0
    for journal in journals:
        for boot, bucket, *values in rollups_of(tx, journal.id, together):
            moment = timebase.resolve_stored(boot, bucket * together * BUCKET_MS)
            undated += moment is None
            if moment is not None and moment.utc_ms >= from_ms:
                found.append(Point(moment.utc_ms, *values))
    return together * BUCKET_MS, sorted(found), undated


def _joined(at: int, before: Point | None, one: Point) -> Point:
    if before is None:
        return one._replace(utc_ms=at)
    return Point(
        at, _lower(before.temp_low_cc, one.temp_low_cc), _higher(before.temp_high_cc, one.temp_high_cc),
        _lower(before.spo2_low, one.spo2_low), _higher(before.spo2_high, one.spo2_high),
    )  # fmt: skip


def _lower(old: int | None, new: int | None) -> int | None:
    return new if old is None or (new is not None and new < old) else old


def _higher(old: int | None, new: int | None) -> int | None:
    return new if old is None or (new is not None and new > old) else old


def _events(tx: Tx, binding: Binding, timebase: Timebase) -> Iterator[tuple[int, str]]:
    told = AlarmsTold(tx)
    for journal in journals_of_binding(tx, binding.row):
        raised: dict[int, int] = {}
        for change in alarm_changes(tx, journal.id):
            before, raised[change.alarm] = raised.get(change.alarm, 0), change.priority
            moment = timebase.resolve_stored(change.boot, change.t_ms)
            if moment is not None and change.priority > before:
                row = told.of_wearable(journal, change, None)
                yield moment.utc_ms, f"{row['priority']} {row['name'].replace('_', ' ').lower()}"
    for row in entry_rows(tx, binding.row):
        yield utc_ms_of_iso(row["at"]), f"entered by {row['account']}: {entry_words(row['values'])}"


def _hours(points: list[Point]) -> list[dict[str, str]]:
    """One row for each hour of this computer's wall time that has a value, newest first."""
    quarters: dict[int, Point] = {}  # every time zone begins its hours with one of UTC
    for one in points:
        at = one.utc_ms - one.utc_ms % _QUARTER_MS
        quarters[at] = _joined(at, quarters.get(at), one)
    rows: dict[str, Point] = {}
    for one in quarters.values():
        day, clock = local_time(one.utc_ms, with_date=True, with_seconds=False).split(" ")
        hour = f"{day} {clock[:2]}:00{clock[5:]}"  # an hour that happens twice has two offsets, and two rows
        rows[hour] = _joined(one.utc_ms, rows.get(hour), one)
    return [
        {"hour": hour, "temperature": _range(one.temp_low_cc, one.temp_high_cc, temperature_words),
         "spo2": _range(one.spo2_low, one.spo2_high, percent_text)}
        for hour, one in reversed(rows.items())
    ]  # fmt: skip


def _range(low: int | None, high: int | None, words: Any) -> str:
    if low is None or high is None:
        return "not measured"
    return str(words(low)) if low == high else f"{words(low)} to {words(high)}"
