"""The journal of the wearable: one append-only log under one sequence, on two chains of segment files.

What survives, exactly:
* What `append_event` returned survives any cut: its block was on flash before the number was given out.
* Readings are buffered for at most 60 readings or 120 s. A cut loses those; they never had a number.
* A number leaves the device only after its bytes are on flash, because only `read_from`, `head_seq` and the result
  of `append_event` show numbers, and all three speak of what is on flash.
* No number ever has two contents. After a write that failed, its numbers are skipped (unless reading back shows that
  the block is there), and a gap "lost in flash failure" stands for them. At a start the next number follows the
  highest valid one; but when anything suggests that a higher one was once valid (bytes that are no block after the
  last valid block of a chain, a newest segment that cannot be read, an acknowledgement above the highest), what a
  torn header claims is not trusted: the next number follows `reserved`, a bound stored on flash before any number up
  to it is used. So the number of a block that was sent and damaged later is not given out again either.
* One case cannot be prevented by any wearable: when the whole flash goes back to an older image, numbers that were
  sent after that image was taken are given out again (the boot number goes back too). The host sees the same key with
  other bytes: a fork.

Every call costs at most one group of flash operations; `tick` without work costs a few comparisons.
"""

from crs_core.journal import block_layout, block_writer, codec2_writer, record_layout
from crs_core.compat import const
from crs_core.units import Reading
from crs_device.journal import header, reader, space
from crs_device.journal.chain import Chain

READINGS_MAX = const(60)
READINGS_MAX_MS = const(120_000)
ACK_STORE_MS = const(60_000)
RESERVE = const(4096)  # numbers reserved per store of the mark

_EVENTS_BODY_MAX = const(3500)  # bytes of payload that share a block; longer batches take several
_ENOSPC = const(28)


class Journal:
    """One journal at `root`. `random_bytes(n)` gives journal ids; `flags` goes into every block (simulated)."""

    def __init__(self, root, boot: int, random_bytes, budget_bytes: int, flags: int = 0) -> None:  # type: ignore[no-untyped-def]
        self.root = root
        self.boot = boot  # after `open`: above every boot found in the journal
        self.flags = flags
        self.journal_id = b""
        self.binding_id = header.UNBOUND
        self.head_seq = 0  # last number on flash, 0 none
        self.acked_seq = 0
        self.last_boot = 0  # boot and time of the last record found at `open`
        self.last_ms: int | None = None
        self.fault = False  # the last write failed
        self.counters = {
            "flash_faults": 0,
            "readings_lost": 0,  # never numbered: flash refused until the buffer was full
            "readings_segments_dropped": 0,
            "events_segments_dropped": 0,  # acknowledged ones
            "events_merged": 0,
            "events_lost": 0,  # times that unacknowledged events were dropped: HIGH technical alarm
            "doubtful_tails": 0,
            "acks_beyond_head": 0,
        }
        self.random_bytes = random_bytes
        self.budget_bytes = budget_bytes
        self._readings: list[Reading] = []
        self._notes: list[bytes] = []
        self._next = 1
        self._reserved = 0
        self.thinned_seq = 0  # up to here repeats were merged
        self.thinned_from = [0, 0, 0, 0]  # level -> event segments before this one were thinned already
        self.is_thinning = False
        self._t_ms = 0  # newest time given by a caller: the time of records the journal writes itself
        self._ack_dirty = False
        self._ack_stored_ms = 0
        self._wiping = True
        self._states: tuple[bytes, bytes] | None = None
        self._r = Chain(root + "/r", b"", space.SEAL_READINGS)
        self._e = Chain(root + "/e", b"", space.SEAL_EVENTS)

    # --- create, open, close: modules imported in a method are loaded for that call alone, to save heap ---------

    def create(self, binding_id: bytes = header.UNBOUND) -> None:
        """Make a new journal and open it: provisioning only. An unreadable one is kept as `root.bad`.

        LocalError when a readable journal is there (that takes `handover`); OSError from flash.
        """
        from crs_device.journal import handover

        handover.create(self, binding_id)

    def open(self) -> None:
        """Recover: finish a handover, find the head, the last states and time. JournalMissing when unreadable.

        Costs the directory listing and the newest segment of each chain. Call again after a failure to try again.
        """
        from crs_device.journal import recover

        recover.open_journal(self)

    def handover(self, binding_id: bytes) -> None:
        """Begin a new journal (new id, sequence from 1) for `binding_id`; the old one is deleted by `tick`.

        Once it has begun it is completed, at the next start if necessary. Call it only when the old records may be
        deleted. Buffered readings belong to the old binding and are deleted too. OSError: not finished, journal closed.
        """
        from crs_device.journal import handover

        handover.replace(self, binding_id)

    def close(self) -> None:
        """Forget what is buffered and refuse every write until `open` succeeds."""
        self._readings = []
        self._notes = []
        self.journal_id = b""

    @property
    def wiping(self) -> bool:
        """Whether an old journal is still being deleted (True until a `tick` found none)."""
        return self._wiping

    def last_state(self) -> tuple[bytes, bytes] | None:
        """(alarm_state, grader_state) as they were last journaled before this start; None when never."""
        return self._states

    # --- writing ----------------------------------------------------------------------------------------------

    def add_reading(self, reading: Reading) -> None:
        """Buffer one reading (LocalError when a value does not fit); closes the block before it at 60 or 120 s.

        Never raises for flash: a block that cannot be written stays buffered, beyond 60 the oldest is lost and
        counted.
        """
        codec2_writer.encode([reading], reading.t_ms)
        self._t_ms = reading.t_ms
        buffered = self._readings
        if buffered and reading.t_ms - buffered[0].t_ms >= READINGS_MAX_MS:
            self._try_flush()
        if len(self._readings) >= READINGS_MAX:
            self._try_flush()
        while len(self._readings) >= READINGS_MAX:
            self._readings.pop(0)
            self.counters["readings_lost"] += 1
        self._readings.append(reading)
        if len(self._readings) == READINGS_MAX:
            self._try_flush()

    def _try_flush(self) -> None:
        try:
            self.flush()
        except (OSError, MemoryError):
            pass  # `_write` counted it; the readings stay buffered

    def flush(self) -> None:
        """Close the readings block. OSError: still buffered, nothing numbered."""
        readings = self._readings
        if not readings:
            return

        def encode(first: int) -> bytes:
            return block_writer.encode_readings(self.journal_id, self.boot, first, readings, self.flags)

        self._write(self._r, len(readings), encode)
        self._readings = []

    def append_event(self, t_ms: int, kind: int, payload: bytes) -> int:
        """Journal one event and return its number: when this returns, it survives any cut. OSError: not journaled."""
        return self.append_events([(t_ms, kind, payload)])

    def append_events(self, events: list[tuple[int, int, bytes]]) -> int:
        """Journal events, all or none when their payloads share a block (3500 bytes), else in several blocks in order.

        Returns the number of the first; readings before them go first. LocalError when one does not fit a block or is
        earlier than the first of its block. OSError: those of the block that failed and after it are not journaled.
        """
        self._t_ms = events[-1][0]
        self.flush()
        first = self._put_events(events)
        if self._notes:
            notes = [(self._t_ms, record_layout.FAULT, note) for note in self._notes]
            try:
                self._put_events(notes)
                self._notes = []
            except (OSError, MemoryError):
                pass  # `_write` counted it; the events are journaled, the notes follow with the next ones
        return first

    def _put_events(self, events: list[tuple[int, int, bytes]]) -> int:
        if len(events) > 1 and sum([len(event[2]) for event in events]) > _EVENTS_BODY_MAX:
            half = len(events) // 2
            seq = self._put_events(events[:half])
            self._put_events(events[half:])
            return seq

        def encode(first: int) -> bytes:
            return block_writer.encode_events(self.journal_id, self.boot, first, events, self.flags)

        return self._write(self._e, len(events), encode)

    def _write(self, chain: Chain, count: int, encode) -> int:  # type: ignore[no-untyped-def]
        """Write one block of `count` records, once more in a fresh segment when flash refuses; returns its number."""
        if not self.journal_id:
            raise OSError(19)
        data = encode(self._next)
        if not self.is_thinning:
            self._try_make_room(chain, len(data))
        for last_try in (False, True):
            first = self._next
            data = encode(first)
            try:
                self._reserve(first + count - 1)
            except OSError:
                self.counters["flash_faults"] += 1
                if last_try:
                    self.fault = True
                    raise
                continue
            # From here on it may be on flash, perhaps in part, so it is never used again.
            self._next = first + count
            try:
                chain.append(first, data)
            except (OSError, MemoryError) as error:
                self.counters["flash_faults"] += 1
                if not chain.after_failure(data):
                    if last_try:
                        self.fault = True
                        raise
                    if error.args and error.args[0] == _ENOSPC:
                        self._force_room()
                    continue
            self.head_seq = first + count - 1
            self.fault = False
            break
        return first

    def _reserve(self, last: int) -> None:
        if last > self._reserved:
            reserved = min(last + RESERVE, block_layout.SEQ_MAX)
            header.store_mark(self.root, self.acked_seq, reserved, self.thinned_seq)
            self._reserved = reserved

    # --- room -------------------------------------------------------------------------------------------------

    def _try_make_room(self, chain: Chain, size: int) -> None:
        need = chain.growth(size)
        quota = self.budget_bytes // 4
        try:
            if chain is self._r:
                dropped = space.drop_oldest(chain, need, self.budget_bytes - quota)
                self.counters["readings_segments_dropped"] += dropped
            elif chain.used + need > quota:
                from crs_device.journal import event_room

                event_room.make_room(self, chain, size)
        except OSError:
            self.counters["flash_faults"] += 1  # too much flash used is better than an event not journaled

    def _force_room(self) -> None:
        """Drop the oldest readings: flash is full although the budget is not."""
        if len(self._r.segments) > 1:
            try:
                self._r.drop(0)
                self.counters["readings_segments_dropped"] += 1
            except OSError:
                pass

    # --- reading ----------------------------------------------------------------------------------------------

    def read_from(self, seq: int, kind: int = 0):  # type: ignore[no-untyped-def]
        """The block or gap at or after `seq`: ("block", Header, bytes), ("gap", first, last, reason), None at the end.

        A block may begin before `seq`. kind 2: only event blocks, no gaps. The bytes were verified just now.
        """
        return reader.read_from(self, self._r, self._e, max(seq, 1), kind)

    def ack(self, seq: int) -> None:
        """The custodian has committed every record up to `seq`. Above the head it is refused and counted."""
        if seq > self.head_seq:
            self.counters["acks_beyond_head"] += 1
        elif seq > self.acked_seq:
            self.acked_seq = seq
            self._ack_dirty = True

    # --- time -------------------------------------------------------------------------------------------------

    def tick(self, now_ms: int) -> None:
        """Call each second: closes old readings, stores acknowledgements, deletes an old journal."""
        if self._readings and now_ms - self._readings[0].t_ms >= READINGS_MAX_MS:
            self._try_flush()
        elif self._ack_dirty and now_ms - self._ack_stored_ms >= ACK_STORE_MS:
            self._store_ack(now_ms)
        elif self._wiping:
            from crs_device.journal import handover

            try:
                self._wiping = handover.wipe_step(self.root + ".old")
            except OSError:
                self.counters["flash_faults"] += 1
        elif self._e.used > self.budget_bytes // 16 * 3:
            # Three quarters of the events' quarter are full: thin before all of it is.
            from crs_device.journal import event_room

            event_room.thin_ahead(self, self._e)

    def _store_ack(self, now_ms: int) -> None:
        self._ack_stored_ms = now_ms
        try:
            header.store_mark(self.root, self.acked_seq, self._reserved, self.thinned_seq)
            self._ack_dirty = False
        except OSError:
            self.counters["flash_faults"] += 1  # it is tried again in a minute; losing it is harmless
