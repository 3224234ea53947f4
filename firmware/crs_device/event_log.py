"""The application's one door to the journal: it never raises, it says what was kept and remembers what was not.

An event that flash refused keeps sequence 0 ("unjournaled"), is counted, and is offered again later with its own time,
before anything newer. Holes in the samples become at most one SAMPLE_GAP event a minute, in the block of an event
that is written anyway; alone only after ten. An erase can itself make the FIFO run over: telling must cost no samples.
"""

from crs_core.journal import record_layout, record_writer
from crs_core.compat import const
from crs_core.errors import CoreError
from crs_device.unload import unload
from crs_device.health import GAP_COALESCED, JOURNAL_FAIL, READINGS_DROPPED, UNJOURNALED_EVENT, Health

_GAP_EVERY_MS = const(60_000)
_GAP_ALONE_MS = const(600_000)
_OFFER_AGAIN_MS = const(10_000)
_HELD_MAX = const(16)


class EventLog:
    """`journal` may be None: then everything is unjournaled and `is_faulty` is True."""

    def __init__(self, journal, health: Health) -> None:  # type: ignore[no-untyped-def]
        self.journal = journal
        self._failed = journal is None
        self._health = health
        self._held: list[list[tuple[int, int, bytes]]] = []  # batches, each to be one block
        self._offered_ms = 0
        self._gaps: dict[int, list[int]] = {}  # sensor -> [reason, lost, span_ms]
        self._gap_told_ms = 0

    @property
    def is_faulty(self) -> bool:
        """Whether the last thing that should have been journaled was not."""
        return self._failed or self.journal.fault

    @property
    def is_holding(self) -> bool:
        """Whether events wait that flash refused."""
        return self.journal is None or len(self._held) > 0

    def append(self, t_ms: int, kind: int, payload: bytes) -> int:
        """Journal one event now; its sequence, or 0 when flash refused it."""
        return self.append_all([(t_ms, kind, payload)])

    def append_all(self, events: list[tuple[int, int, bytes]], hold: bool = True) -> int:
        """Journal events in one block; the sequence of the first, or 0 when flash refused them.

        `hold` False: whoever asked is told, and asks again; nothing is kept to be offered later.
        """
        t_ms = events[-1][0]
        if self._gaps and t_ms - self._gap_told_ms >= _GAP_EVERY_MS:
            events = events + self._take_gaps(t_ms)
        if self.journal is not None and (not self._held or self._offer_again()):
            try:
                seq = self.journal.append_events(events)
                self._failed = False
                return seq
            except (OSError, MemoryError):
                self._health.count(JOURNAL_FAIL)
            except (
                CoreError
            ):  # it fits no block, now or later: to hold it would bar the way for all that follows
                self._health.count(UNJOURNALED_EVENT, len(events))
                return 0
        self._failed = True
        self._health.count(UNJOURNALED_EVENT, len(events))
        if hold and len(self._held) < _HELD_MAX:
            self._held.append(events)
        return 0

    def add_reading(self, reading) -> bool:  # type: ignore[no-untyped-def]
        """Buffer one reading for the journal; False when it could not be kept."""
        if self.journal is not None:
            try:
                self.journal.add_reading(reading)
                return True
            except (OSError, MemoryError):
                self._health.count(JOURNAL_FAIL)
                self._failed = True
        self._health.count(READINGS_DROPPED)
        return False

    def gap(self, sensor: int, reason: int, lost: int, span_ms: int) -> None:
        """Samples are missing; told to the journal with the next event, or by `tick`."""
        known = self._gaps.get(sensor)
        if known is None:
            self._gaps[sensor] = [reason, lost, span_ms]
            return
        self._health.count(GAP_COALESCED)
        known[0] = reason
        known[1] += lost
        known[2] += span_ms

    def tick(self, now_ms: int) -> None:
        """Write what is due: old readings, gaps, faults, held events. Call right after a FIFO drain."""
        if self._gaps and now_ms - self._gap_told_ms >= _GAP_ALONE_MS:
            self.append_all(self._take_gaps(now_ms))
        for subsystem, code, count, detail in self._health.take_faults():
            payload = record_writer.write(record_layout.FAULT, subsystem, code, count, detail)
            self.append(now_ms, record_layout.FAULT, payload)
        if self.journal is None:
            return
        if self._held and now_ms - self._offered_ms >= _OFFER_AGAIN_MS:
            self._offered_ms = now_ms
            self._offer_again()
        was_wiping = self.journal.wiping
        try:
            self.journal.tick(now_ms)
            if was_wiping and not self.journal.wiping:
                unload("crs_device.journal.handover")
        except (OSError, MemoryError):
            self._health.count(JOURNAL_FAIL)
            self._failed = True

    def _take_gaps(self, t_ms: int) -> list[tuple[int, int, bytes]]:
        """The SAMPLE_GAP events of all holes so far, which are told by that."""
        self._gap_told_ms = t_ms
        gaps, self._gaps = self._gaps, {}
        events = []
        for sensor in sorted(gaps):
            reason, lost, span_ms = gaps[sensor]
            payload = record_writer.write(
                record_layout.SAMPLE_GAP, sensor, reason, min(lost, 0xFFFFFFFF), min(span_ms, 0xFFFFFFFF)
            )
            events.append((t_ms, record_layout.SAMPLE_GAP, payload))
        return events

    def flush(self) -> None:
        """Close the buffered readings into a block (before a restart)."""
        if self.journal is not None:
            try:
                self.journal.flush()
            except (OSError, MemoryError):
                self._health.count(JOURNAL_FAIL)
                self._failed = True

    def forget_held(self) -> None:
        """Another journal begins: what waits belongs to the one before."""
        self._held = []
        self._gaps = {}

    def _offer_again(self) -> bool:
        """Journal what flash refused, before anything newer; True when nothing waits any more.

        Each batch in a block of its own, as it was meant: a GRADE is stamped with the second that began before the
        ALARM of its step, and no event of a block may be earlier than the block's first.
        """
        while self._held:
            try:
                self.journal.append_events(self._held[0])
            except (OSError, MemoryError):
                self._health.count(JOURNAL_FAIL)
                return False
            except CoreError:
                pass  # counted as unjournaled already
            self._held.pop(0)
        self._failed = False
        return True
