"""How long a patient was measured, day by day, from the stored readings. Integers; nothing is guessed.

A reading covers the time to the next one of the same boot, but never more than the interval that was set when it was
made. Time that no reading covers is lost. A value counts when the guards of the grader let it count.
"""

import contextlib
import datetime
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from crs_core import settings, units
from crs_core.errors import RemoteError
from crs_core.grade import guards
from crs_core.grade.rules import DEFAULT
from crs_core.journal import record_layout, record_types

from host_agent.errors import HostAgentError
from host_agent.store.bindings import Binding, bindings
from host_agent.store.db import DatabaseError, Tx
from host_agent.store.events import events
from host_agent.store.journals import journals_of_binding
from host_agent.store.readings import newest_first, readings
from host_agent.store.retention import thinned_readings
from host_agent.store.rows import StoredReading
from host_agent.sync.timebase import Timebase, load_timebase
from host_agent.text import iso_utc
from host_agent.wall_time import begin_of

KINDS = ("temperature", "spo2", "both", "pause", "charging", "not_worn", "lost")
_INTERVAL_MS = 10_000  # until a SETTINGS record says otherwise
_LATE_MS = 1_500  # a reading that much later than its interval is still the next one
# one wall time is looked up for each stretch of this length: a crystal drifts 60 ms in it
_ANCHOR_MS = 600_000


class Stretch(NamedTuple):
    """UTC ms from `start` up to `end`, with the kinds that hold in it."""

    start: int
    end: int
    kinds: frozenset[str]


class Days:
    """Sums of one patient by day; `day_of` and `next_day_ms` are those of the time zone that is asked for."""

    def __init__(self, utc: bool) -> None:
        self._zone = datetime.UTC if utc else None
        self.sums: dict[str, dict[str, int]] = {}

    def add(self, stretch: Stretch) -> None:
        """Share a stretch out over its days."""
        start = stretch.start
        while start < stretch.end:
            day = self._moment(start).date()
            stop = min(stretch.end, self._begin_ms(day + datetime.timedelta(days=1)))
            sums = self.sums.setdefault(day.isoformat(), dict.fromkeys(("span", *KINDS), 0))
            for kind in stretch.kinds:
                sums[kind] += stop - start
            start = stop

    def _moment(self, utc_ms: int) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(utc_ms / 1000, datetime.UTC).astimezone(self._zone)

    def _begin_ms(self, day: datetime.date) -> int:
        midnight = datetime.datetime(day.year, day.month, day.day, tzinfo=datetime.UTC)
        return round((midnight if self._zone else begin_of(day)).timestamp() * 1000)


def hours_rows(
    tx: Tx,
    *,
    device: str | None,
    day: str | None,
    now_ms: int,
    utc: bool,
    broken: dict[str, str] | None = None,
) -> list[dict[str, Any]]:
    """One row for each binding and day, by binding; `*_ms` sums of KINDS and of `span`, the time the binding lasted.

    `device` the start of an id, `day` YYYY-MM-DD; None: all. `undated_readings` have no known time and are in no
    sum. A binding that goes on counts up to `now_ms`. Why a wearable cannot be read is added to `broken`, by device id;
    None: it is raised.
    """
    rows = []
    for binding in bindings(tx):
        device_id = binding.device_id.hex()
        if not device_id.startswith((device or "").lower()):
            continue
        measured = _Measured(tx, binding.row, load_timebase(tx, binding.device))
        days = Days(utc)
        stop = now_ms if binding.ended_utc_ms is None else binding.ended_utc_ms
        try:
            for stretch in _filled(measured.stretches(), binding.started_utc_ms, stop):
                days.add(stretch)
        except (HostAgentError, DatabaseError):
            raise
        except Exception as error:
            if broken is None:
                raise
            broken[device_id] = f"{type(error).__name__}: {error}"
            continue
        for name, sums in sorted(days.sums.items()):
            if day is None or day == name:
                rows.append(
                    {
                        "at": iso_utc(binding.started_utc_ms), "device_id": device_id, "patient": binding.patient,
                        "day": name, "simulated": measured.is_simulated, "undated_readings": measured.undated,
                        **{f"{kind}_ms": value for kind, value in sums.items()},
                    }
                )  # fmt: skip
    return rows


def measured(tx: Tx, binding: Binding, from_ms: int, to_ms: int) -> tuple[list[Stretch], int]:
    """(stretches from `from_ms` to `to_ms` without a hole between them, readings of that time without a known time).

    For the present only: single readings that retention removed are not looked for.
    """
    found = _Measured(tx, binding.row, load_timebase(tx, binding.device), from_ms)
    return list(_filled(found.stretches(), from_ms, to_ms)), found.undated


def _filled(stretches: Iterable[Stretch], start: int, stop: int) -> Iterator[Stretch]:
    """The stretches within [start, stop), none twice, and between them what was lost."""
    at = start
    span, lost = frozenset({"span"}), frozenset({"span", "lost"})
    for stretch in sorted(stretches):
        begin, end = max(stretch.start, at), min(stretch.end, stop)
        if end <= begin:
            continue
        if begin > at:
            yield Stretch(at, begin, lost)
        yield Stretch(begin, end, stretch.kinds | span)
        at = end
    if at < stop:
        yield Stretch(at, stop, lost)


class _Measured:
    """Reads one binding; `stretches` also counts readings without a known time and notes whether any is simulated."""

    def __init__(self, tx: Tx, binding: int, timebase: Timebase, from_ms: int | None = None) -> None:
        self._from_ms = from_ms
        self._tx = tx
        self._binding = binding
        self._timebase = timebase
        self._anchors: dict[tuple[int, int], int | None] = {}
        self.undated = 0
        self.is_simulated = False

    def stretches(self) -> list[Stretch]:
        """The time that each reading covers, joined where nothing changes."""
        found: list[Stretch] = []
        for journal in journals_of_binding(self._tx, self._binding):
            for stretch in self._of_journal(journal.id):
                last = found[-1] if found else None
                if last and last.kinds == stretch.kinds and 0 <= stretch.start - last.end <= _LATE_MS:
                    found[-1] = Stretch(last.start, stretch.end, last.kinds)
                else:
                    found.append(stretch)
        return found

    def _of_journal(self, journal: int) -> Iterator[Stretch]:
        intervals = self._intervals(journal)
        rows = self._rows(journal)
        interval_ms = _INTERVAL_MS
        for at, one in enumerate(rows):
            while intervals and intervals[0][0] < one.seq:
                interval_ms = intervals.pop(0)[1]
            self.is_simulated = self.is_simulated or bool(one.simulated)
            start = self._utc_ms(one.boot, one.t_ms)
            if start is None:
                self.undated += 1
                continue
            length_ms = interval_ms
            if at + 1 < len(rows) and rows[at + 1].boot == one.boot:
                next_ms = rows[at + 1].t_ms - one.t_ms
                if 0 < next_ms <= interval_ms + _LATE_MS:
                    length_ms = next_ms
            yield Stretch(start, start + length_ms, _kinds(one))

    def _rows(self, journal: int) -> list[StoredReading]:
        """The readings that may count, oldest first."""
        if self._from_ms is not None:
            rows = []
            for one in newest_first(self._tx, journal):
                utc_ms = self._utc_ms(one.boot, one.t_ms)
                if utc_ms is not None and utc_ms < self._from_ms - _ANCHOR_MS:
                    break
                rows.append(one)
            return rows[::-1]
        rows = list(readings(self._tx, journal))
        if removed := thinned_readings(self._tx, journal):  # what retention removed was measured all the same
            rows = sorted(rows + removed)
        return rows

    def _intervals(self, journal: int) -> list[tuple[int, int]]:
        """(sequence, interval in ms) of each SETTINGS record."""
        found = []
        for event in events(self._tx, journal, record_layout.SETTINGS):
            text = event.record.text if isinstance(event.record, record_types.Settings) else ""
            values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
            with contextlib.suppress(KeyError, RemoteError):  # no interval that a wearable can have
                interval_s = settings.parse_value("reading_interval_s", values["reading_interval_s"])
                found.append((event.seq, int(interval_s) * 1000))
        return found

    def _utc_ms(self, boot: int, t_ms: int) -> int | None:
        anchor = t_ms - t_ms % _ANCHOR_MS
        reached_ms = self._timebase.reached_ms(boot)
        if reached_ms is not None and t_ms > reached_ms:
            return None
        if (boot, anchor) not in self._anchors:
            moment = self._timebase.resolve_stored(boot, anchor)
            self._anchors[boot, anchor] = moment.utc_ms if moment else None
        utc_ms = self._anchors[boot, anchor]
        return None if utc_ms is None else utc_ms + t_ms - anchor


def _kinds(one: StoredReading) -> frozenset[str]:
    status = one.status
    wear = units.wear_of(status)
    has_temp = not guards.temp(one.temp_cc, units.temp_state_of(status), units.site_of(status), wear, 0, 0)
    has_spo2 = wear != units.WEAR_OFF and not guards.ppg(
        one.spo2_tenths, one.pi_hundredths, units.ppg_state_of(status), 0, 0, DEFAULT.pi_min_hundredths
    )
    paused = bool(status & units.STATUS_PAUSED)
    held = {
        "temperature": has_temp,
        "spo2": has_spo2,
        "both": has_temp and has_spo2,
        "pause": paused,
        "charging": bool(status & units.STATUS_CHARGING),
        "not_worn": wear == units.WEAR_OFF and not paused,
    }
    return frozenset(kind for kind, holds in held.items() if holds)
