"""Wall time of records: (boot, ms since boot) -> UTC with an error bound, from time marks. Integers only.

A mark gives the time of one moment of one boot as utc ± bound. Away from that moment the bound grows by the drift of
the wearable's crystal, forwards and backwards. All marks of a boot must hold, so their intervals are intersected. A
boot without a mark lies after everything of the boot before it, and before the boot after it or the moment at which
its records were received.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from host_agent.store.db import Tx
from host_agent.store.time_marks import Extent, Mark, extents_of, marks_of, marks_of_boot

DRIFT_PPM = 100  # crystals of ESP32-S3 and RP2350 boards, with room for temperature


class WallTime(NamedTuple):
    """`utc_ms` ± `bound_ms`. `how`: mark, bracket (between other boots), or conflict (contradicting marks; widest)."""

    utc_ms: int
    bound_ms: int
    how: str


class Timebase:
    """For one wearable. Rebuild it when marks were added; resolving is cheap."""

    def __init__(self, marks: Iterable[Mark], extents: Iterable[Extent] = ()) -> None:
        self._marks: dict[int, list[Mark]] = {}
        for mark in marks:
            self._marks.setdefault(mark.boot, []).append(mark)
        self._extents = {extent.boot: extent for extent in extents}
        self._boots = sorted(self._marks.keys() | self._extents.keys())

    def resolve(self, boot: int, t_ms: int) -> WallTime | None:
        """The time of one moment; None when nothing bounds it on one side."""
        if boot in self._marks:
            low, high = _cut(self._marks[boot], t_ms)
            if low > high:
                return _middle(high, low, "conflict")
            return _middle(low, high, "mark")
        low_bound = self._not_before(boot, t_ms)
        high_bound = self._not_after(boot, t_ms)
        if low_bound is None or high_bound is None:
            return None
        if low_bound > high_bound:
            return _middle(high_bound, low_bound, "conflict")
        return _middle(low_bound, high_bound, "bracket")

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
        """Latest time: before the next boot with a mark began, and before its own last record was received."""
        limits = []
        own = self._extents.get(boot)
        rest = 0
        if own is not None:
            rest = max(own.last_ms - t_ms, 0)
            rest -= _drift(rest)
            limits.append(own.received_utc_ms - rest)
        for other in [b for b in self._boots if b > boot]:
            if other in self._marks:
                low, high = _cut(self._marks[other], 0)
                limits.append(max(low, high) - rest)
                break
            extent = self._extents.get(other)
            if extent:
                rest += extent.last_ms - _drift(extent.last_ms)
        return min(limits) if limits else None


def _cut(marks: Sequence[Mark], t_ms: int) -> tuple[int, int]:
    """The interval that all marks of a boot allow for `t_ms`; low above high when they contradict each other."""
    low = max(m.utc_ms + t_ms - m.t_ms - m.bound_ms - _drift(abs(t_ms - m.t_ms)) for m in marks)
    high = min(m.utc_ms + t_ms - m.t_ms + m.bound_ms + _drift(abs(t_ms - m.t_ms)) for m in marks)
    return low, high


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
    """(utc_ms, bound_ms) of a record of this wearable; None while nothing bounds it.

    The marks of the record's own boot come first: they are one indexed read.
    """
    marks = marks_of_boot(tx, device, boot)
    found = (Timebase(marks) if marks else load_timebase(tx, device)).resolve(boot, t_ms)
    return (found.utc_ms, found.bound_ms) if found else None
