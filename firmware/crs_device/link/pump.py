"""Which records are sent to a host next: events overtake the backlog, readings follow in order, nothing is sent twice.

Two cursors over the journal. The event cursor runs first over event blocks only; the ordered cursor then visits all
blocks and leaves out the event blocks that went already on this link. A host computes what it has without a hole.
"""

from crs_core.compat import const
from crs_core.wire.message import Block, CaughtUp, Gap

_EVENTS = const(2)  # kind of an event block
# blocks looked at before others get their turn: four radio fragments full of short ones
_LOOKS_PER_TURN = const(24)
# a message and its sealed and framed copies must fit the heap beside the application
_MESSAGE_MAX = const(2048)
_MESSAGE_MIN = const(64)


class Pump:
    """Feeds one link from one journal. `start` on READ_FROM, `acknowledge` on ACK, `next` for what to send."""

    def __init__(self, journal) -> None:  # type: ignore[no-untyped-def]
        self.journal = journal
        self._running = False
        self._from_seq = 0
        self._event_seq = 0
        self._seq = 0
        self._window = 0
        self._max_bytes = _MESSAGE_MIN
        self._caught_up_at = -1
        self._events_seen_head = -1
        self._sent = 0
        self._received = 0
        self._base = 0  # the host's count at its last READ_FROM: nothing before it is in flight

    def start(self, seq: int, window: int, max_bytes: int) -> None:
        """Begin at `seq` (1 is the first record ever) with `window` messages in flight."""
        self._from_seq = self._event_seq = self._seq = max(seq, 1)
        self._window = max(window, 1)
        self._max_bytes = min(max(max_bytes, _MESSAGE_MIN), _MESSAGE_MAX)
        self._caught_up_at = self._events_seen_head = -1
        self._sent = 0
        self._base = self._received
        self._running = True

    def stop(self) -> None:
        """Send nothing until the next `start`."""
        self._running = False

    def acknowledge(self, received: int) -> None:
        """The host has committed `received` BLOCK and GAP messages since the session opened."""
        if received > self._received:
            self._received = received

    @property
    def in_flight(self) -> int:
        """Messages sent since `start` and not yet committed by the host."""
        return max(self._sent - (self._received - self._base), 0)

    def next(self):  # type: ignore[no-untyped-def]
        """The next BLOCK, GAP or CAUGHT_UP; None when there is none or the window is full. OSError: flash."""
        if not self._running or self.in_flight >= self._window:
            return None
        message = self._next_events()
        if message is None:
            message = self._next_in_order()
        if message is not None and not isinstance(message, CaughtUp):
            self._sent += 1
        return message

    def _next_events(self):  # type: ignore[no-untyped-def]
        head = self.journal.head_seq
        if head == self._events_seen_head:
            return None
        blocks = []
        size = 0
        seq = self._event_seq
        for _ in range(_LOOKS_PER_TURN):
            try:
                found = self.journal.read_from(seq, _EVENTS)
            except OSError:
                if not blocks:
                    raise
                break  # send what was read; the next call meets the error again
            if found is None:
                self._events_seen_head = head
                seq = max(seq, head + 1)
                break
            header, data = found[1], found[2]
            if blocks and size + len(data) > self._max_bytes:
                break
            blocks.append(data)
            size += len(data)
            seq = header.first_seq + header.count
            if size >= self._max_bytes:
                break
        message = Block(b"".join(blocks)) if blocks else None
        self._event_seq = seq  # only now: after an error above, the same events are read again
        return message

    def _next_in_order(self):  # type: ignore[no-untyped-def]
        blocks = []
        size = 0
        seq = self._seq
        for _ in range(_LOOKS_PER_TURN):
            head = self.journal.head_seq
            try:
                found = self.journal.read_from(seq) if seq <= head else None
            except OSError:
                if not blocks:
                    self._seq = seq
                    raise
                break
            if found is None:
                if not blocks and self._caught_up_at != head:
                    self._seq = seq
                    self._caught_up_at = head
                    return CaughtUp(head)
                break
            if found[0] == "gap":
                if blocks:
                    break
                self._seq = found[2] + 1
                return Gap(found[1], found[2], found[3])
            header, data = found[1], found[2]
            after = header.first_seq + header.count
            if header.kind == _EVENTS and self._from_seq <= header.first_seq < self._event_seq:
                seq = after
                continue
            if blocks and size + len(data) > self._max_bytes:
                break
            blocks.append(data)
            size += len(data)
            seq = after
            if size >= self._max_bytes:
                break
        message = Block(b"".join(blocks)) if blocks else None
        self._seq = seq
        return message
