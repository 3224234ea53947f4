"""Wall time of records: (boot, ms since boot) -> UTC with an error bound, from time marks. Integers only.

A mark gives the time of one moment of one boot as utc ± bound. Away from that moment the bound grows by the drift of
the wearable's crystal, forwards and backwards. What does not hold is left out: a mark that lies after the moment at
which its boot was heard, and others' marks where this laptop has its own. Of own marks the newest counts, because it
has the clock by which ages are shown. The marks that are left must all hold, so their intervals are intersected. A
boot without a mark lies after everything of the boot before it, and before the boot after it. Nothing is dated after
the moment at which it was received.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from crs_core.journal.record_bounds import UTC_END_MS, UTC_FIRST_MS

from host_agent.store.db import Tx
from host_agent.store.time_marks import (
    AHEAD_MAX_MS,
    Extent,
    Mark,
    extents_of,
    extents_of_boot,
    marks_of,
    marks_of_boot,
)

DRIFT_PPM = 100  # crystals of ESP32-S3 and RP2350 boards, with room for temperature


class WallTime(NamedTuple):
    """`utc_ms` ± `bound_ms`. `how`: mark, bracket (between other boots), received (no later than that; the marks
    cannot be true), or conflict (contradicting marks; widest)."""

    utc_ms: int
    bound_ms: int
    how: str


class Contradiction(NamedTuple):
    """A mark that cannot be true beside what else is known; `ahead_ms` below 0: it is behind."""

    mark: Mark
    ahead_ms: int


class Timebase:
    """For one wearable. Rebuild it when marks were added; resolving is cheap."""

    def __init__(self, marks: Iterable[Mark], extents: Iterable[Extent] = ()) -> None:
        self._extents = {extent.boot: extent for extent in extents}
        self._all: dict[int, list[Mark]] = {}
        for mark in marks:
            if mark.utc_ms < UTC_END_MS:
                self._all.setdefault(mark.boot, []).append(mark)
        self._marks = {boot: found for boot in self._all if (found := self._that_hold(boot))}
        self._boots = sorted(self._marks.keys() | self._extents.keys())

    def resolve(self, boot: int, t_ms: int) -> WallTime | None:
        """The time of one moment; None when nothing bounds it on one side."""
        latest = self._received_by(boot, t_ms)
        if boot in self._marks:
            low, high = _cut(self._marks[boot], t_ms)
            how = "mark"
            if low > high:
                low, high, how = high, low, "conflict"
        else:
            before, after = self._not_before(boot, t_ms), self._not_after(boot, t_ms)
            if before is None or after is None:
                if latest is None or not any(mark.own for mark in self._all.get(boot, ())):
                    return None
                # this laptop's clock was set back: all that its marks say is that the record had come by then
                return WallTime(latest, _away(self._all[boot], t_ms, latest), "received")
            low, high, how = (before, after, "bracket") if before <= after else (after, before, "conflict")
        found = _middle(low, high, how)
        if latest is not None and found.utc_ms > latest:
            return WallTime(latest, max(high - latest, latest - low), how)
        return found

    def resolve_stored(self, boot: int, t_ms: int) -> WallTime | None:
        """As `resolve`, of a record in the store. None also when it lies far ahead of its boot: see `reached_ms`."""
        reached_ms = self.reached_ms(boot)
        return None if reached_ms is not None and t_ms > reached_ms else self.resolve(boot, t_ms)

    def reached_ms(self, boot: int) -> int | None:
        """The moment of this boot behind which no stored record has a known time: see `note_extents`; None: none is."""
        if extent := self._extents.get(boot):
            return extent.last_ms
        own = [mark.t_ms for mark in self._all.get(boot, ()) if mark.own]
        return max(own) + AHEAD_MAX_MS if own else None

    def has_marks(self, boot: int) -> bool:
        """Whether marks of this boot count."""
        return boot in self._marks

    def contradictions(self, boot: int) -> list[Contradiction]:
        """The marks of one boot that cannot be true together with the others, or with when it was heard."""
        holds = self._marks.get(boot, [])
        found = []
        for mark in self._all.get(boot, []):
            low = high = None if mark.own else self._received_by(boot, mark.t_ms)
            if holds:
                low, high = sorted(_cut(holds, mark.t_ms))
            if low is None or high is None:
                continue
            is_behind = bool(holds) and mark.utc_ms + mark.bound_ms < low
            if is_behind or mark.utc_ms - mark.bound_ms > high:
                found.append(Contradiction(mark, mark.utc_ms - (low + high) // 2))
        if not found and holds and not holds[0].own:
            low, high = _cut(holds, holds[-1].t_ms)
            if low > high:
                found.append(Contradiction(max(holds, key=_start), low - high))
        return found

    def _that_hold(self, boot: int) -> list[Mark]:
        """The marks of a boot that count; none when all of this laptop's own lie after the receipt."""
        own = [mark for mark in self._all[boot] if mark.own]
        possible = [
            mark
            for mark in own or self._all[boot]
            if (latest := self._received_by(boot, mark.t_ms)) is None or mark.utc_ms - mark.bound_ms <= latest
        ]
        if not own:
            return possible
        holds: list[Mark] = []
        for mark in sorted(possible, key=lambda mark: -mark.t_ms):
            low, high = _cut([*holds, mark], mark.t_ms)
            if low <= high:
                holds.append(mark)
        return holds

    def _received_by(self, boot: int, t_ms: int) -> int | None:
        """The latest time that this moment can have had, by when its boot was heard."""
        extent = self._extents.get(boot)
        if extent is None:
            return None
        at_ms, utc_ms = extent.tight_ms, extent.tight_utc_ms
        if at_ms is None or utc_ms is None:
            at_ms, utc_ms = extent.last_ms, extent.received_utc_ms
        if utc_ms < UTC_FIRST_MS:  # by a clock that was never set
            return None
        return utc_ms + t_ms - at_ms + _drift(abs(t_ms - at_ms))

    def _not_before(self, boot: int, t_ms: int) -> int | None:
        """Earliest time: all boots back to one with a mark ended before this one began."""
        total = t_ms - _drift(t_ms)
        for other in reversed([b for b in self._boots if b < boot]):
            extent = self._extents.get(other)
            if other in self._marks:
                last_ms = max([m.t_ms for m in self._marks[other]] + ([extent.last_ms] if extent else []))
                low, high = _cut(self._marks[other], last_ms)
                return min(low, high) + total
            if extent:
                total += extent.last_ms - _drift(extent.last_ms)
        return None

    def _not_after(self, boot: int, t_ms: int) -> int | None:
        """Latest time: before the next boot with a mark began, and before it was received."""
        latest = self._received_by(boot, t_ms)
        limits = [] if latest is None else [latest]
        own = self._extents.get(boot)
        rest = max(own.last_ms - t_ms, 0) if own is not None else 0
        rest -= _drift(rest)
        for other in [b for b in self._boots if b > boot]:
            if other in self._marks:
                low, high = _cut(self._marks[other], 0)
                limits.append(max(low, high) - rest)
                break
            extent = self._extents.get(other)
            if extent:
                rest += extent.last_ms - _drift(extent.last_ms)
        return min(limits) if limits else None


def _start(mark: Mark) -> int:
    return mark.utc_ms - mark.t_ms


def _cut(marks: Sequence[Mark], t_ms: int) -> tuple[int, int]:
    """The interval that all marks of a boot allow for `t_ms`; low above high when they contradict each other."""
    low = max(m.utc_ms + t_ms - m.t_ms - m.bound_ms - _drift(abs(t_ms - m.t_ms)) for m in marks)
    high = min(m.utc_ms + t_ms - m.t_ms + m.bound_ms + _drift(abs(t_ms - m.t_ms)) for m in marks)
    return low, high


def _away(marks: Sequence[Mark], t_ms: int, utc_ms: int) -> int:
    """How far these marks lie from `utc_ms` at most."""
    return max(abs(_start(m) + t_ms - utc_ms) + m.bound_ms for m in marks)


def _drift(span_ms: int) -> int:
    """The largest error of a crystal over a span, in ms, rounded up."""
    return -(-span_ms * DRIFT_PPM // 1_000_000)


def _middle(low: int, high: int, how: str) -> WallTime:
    utc_ms = (low + high) // 2
    return WallTime(utc_ms, max(high - utc_ms, utc_ms - low), how)


def load_timebase(tx: Tx, device: int) -> Timebase:
    """The timebase of one wearable from everything stored."""
    return Timebase(marks_of(tx, device), extents_of(tx, device))


def record_time(tx: Tx, device: int, boot: int, t_ms: int) -> tuple[int, int] | None:
    """(utc_ms, bound_ms) of a record of this wearable, never after the moment at which its boot was heard; None while
    nothing bounds it.

    The marks of the record's own boot come first: they are one indexed read.
    """
    found = _timebase_for(tx, device, boot).resolve(boot, t_ms)
    return (found.utc_ms, found.bound_ms) if found else None


def arrived_time(tx: Tx, device: int, boot: int, t_ms: int, received_utc_ms: int) -> tuple[int, int] | None:
    """As `record_time`, of a record that is not in the store yet: what lies behind its receipt counts as then."""
    found = record_time(tx, device, boot, t_ms)
    if found is None or found[0] - found[1] <= received_utc_ms:
        return found
    return received_utc_ms, found[0] + found[1] - received_utc_ms


class StoredTimes:
    """`stored_time` for many records of one moment: each boot's marks are read once."""

    def __init__(self) -> None:
        self._timebases: dict[tuple[int, int], Timebase] = {}

    def __call__(self, tx: Tx, device: int, boot: int, t_ms: int) -> tuple[int, int] | None:
        timebase = self._timebases.get((device, boot))
        if timebase is None:
            timebase = self._timebases[device, boot] = _timebase_for(tx, device, boot)
        found = timebase.resolve_stored(boot, t_ms)
        return (found.utc_ms, found.bound_ms) if found else None


def stored_time(tx: Tx, device: int, boot: int, t_ms: int) -> tuple[int, int] | None:
    """As `record_time`, of a record in the store: None also when it lies far ahead of its boot."""
    found = _timebase_for(tx, device, boot).resolve_stored(boot, t_ms)
    return (found.utc_ms, found.bound_ms) if found else None


def _timebase_for(tx: Tx, device: int, boot: int) -> Timebase:
    own_boot = Timebase(marks_of_boot(tx, device, boot), extents_of_boot(tx, device, boot))
    return own_boot if own_boot.has_marks(boot) else load_timebase(tx, device)
