"""The application's one way into the journal: it never raises for flash, and keeps what flash refused.

An event that flash refused gets sequence 0 ("unjournaled"), is counted, and is offered again later with its own time,
before anything newer. Missing samples become at most one SAMPLE_GAP event a minute, in the block of an event that is
written anyway; alone only after ten minutes. A flash erase stalls the chip for 50 ms or more, and then the optical
sensor's FIFO may overflow: so the FIFO is drained here before each write, and a gap alone is not worth a write.
"""

from crs_core.journal import record_layout, record_writer
from crs_core.compat import const
from crs_core.errors import CoreError
from crs_device.heap import unload_modules
from crs_device.health import GAP_COALESCED, JOURNAL_FAIL, READINGS_DROPPED, UNJOURNALED_EVENT, Health

_GAP_EVERY_MS = const(60_000)
_GAP_ALONE_MS = const(600_000)
_OFFER_AGAIN_MS = const(10_000)
_HELD_MAX = const(16)


class EventLog:
    """`journal` may be None: then everything is unjournaled and `is_faulty` is True.

    `drain()` empties the FIFO of the optical sensor; it is called just before each call that may write to flash.
    """

    def __init__(self, journal, health: Health, drain) -> None:  # type: ignore[no-untyped-def]
        self.journal = journal
        self._drain = drain
        self._failed = journal is None
        self._health = health
        self._held: list[
            list[tuple[int, int, bytes]]
        ] = []  # batches that flash refused, each to be one block
        self._offered_ms = 0
        self._gaps: dict[int, list[int]] = {}  # sensor -> [reason, lost, span_ms]
        self._gap_written_ms = 0

    @property
    def is_faulty(self) -> bool:
        """Whether the last thing that should have been journaled was not."""
        return self._failed or self.journal.fault

    @property
    def is_holding(self) -> bool:
        """Whether events wait because flash refused them."""
        return self.journal is None or len(self._held) > 0

    def append(self, t_ms: int, kind: int, payload: bytes) -> int:
        """Journal one event now; its sequence, or 0 when flash refused it."""
        return self.append_all([(t_ms, kind, payload)])

    def append_all(self, events: list[tuple[int, int, bytes]], hold: bool = True) -> int:
        """Journal events in one block; the sequence of the first, or 0 when flash refused them.

        `hold` False: nothing is kept for later, because the caller reports the refusal and the host asks again.
        """
        self._drain()
        t_ms = events[-1][0]
        if self._gaps and t_ms - self._gap_written_ms >= _GAP_EVERY_MS:
            events = events + self._take_gaps(t_ms)
        if self.journal is not None and (not self._held or self._offer_again()):
            try:
                seq = self.journal.append_events(events)
                self._failed = False
                return seq
            except (OSError, MemoryError):
                self._health.count(JOURNAL_FAIL)
            except CoreError:
                # It never fits a block. Keeping it would block every later event.
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
            self._drain()
            try:
                self.journal.add_reading(reading)
                return True
            except (OSError, MemoryError):
                self._health.count(JOURNAL_FAIL)
                self._failed = True
        self._health.count(READINGS_DROPPED)
        return False

    def gap(self, sensor: int, reason: int, lost: int, span_ms: int) -> None:
        """Remember missing samples; they are journaled with the next event, or by `tick`."""
        known = self._gaps.get(sensor)
        if known is None:
            self._gaps[sensor] = [reason, lost, span_ms]
            return
        self._health.count(GAP_COALESCED)
        known[0] = reason
        known[1] += lost
        known[2] += span_ms

    def tick(self, now_ms: int) -> None:
        """Write what is due: old readings, gaps, faults, refused events. Call each second."""
        self._drain()
        if self._gaps and now_ms - self._gap_written_ms >= _GAP_ALONE_MS:
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
                unload_modules("crs_device.journal.handover", "crs_device.journal.recover")
        except (OSError, MemoryError):
            self._health.count(JOURNAL_FAIL)
            self._failed = True

    def _take_gaps(self, t_ms: int) -> list[tuple[int, int, bytes]]:
        """SAMPLE_GAP events of all gaps so far, which are forgotten by that."""
        self._gap_written_ms = t_ms
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
            self._drain()
            try:
                self.journal.flush()
            except (OSError, MemoryError):
                self._health.count(JOURNAL_FAIL)
                self._failed = True

    def forget_held(self) -> None:
        """Drop what waits: it belongs to the journal before."""
        self._held = []
        self._gaps = {}

    def _offer_again(self) -> bool:
        """Journal what flash refused, before anything newer; True when nothing is left.

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
                pass  # it was counted as unjournaled when it came
            self._held.pop(0)
        self._failed = False
        return True
