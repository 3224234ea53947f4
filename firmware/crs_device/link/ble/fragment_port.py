"""One central's fragments as a port of LinkServer: what it wrote in, notifications out as fast as the stack takes them.

Order is kept: a fragment leaves the queue only when the stack took it.
"""

from crs_core.compat import const
from crs_core.wire.sealed import OVERHEAD_BYTES

_PIECES_PER_TURN = const(16)  # several in each connection event, without delaying sampling
DEAD_MS = const(2000)
# BTstack accepts everything and keeps a copy, which it does not free when the central goes: so send no faster.
_BTSTACK_PAUSE_MS = const(8)
_MESSAGE_FRAGMENTS = const(4)
_MESSAGE_MIN = const(200)  # with a small MTU, so that overhead does not exceed the records


class FragmentPort:
    """See SerialPort. `window_max` messages of `message_max` bytes are what an alarm may have to wait for: about 1.9
    kB, 150 ms at 13 kB/s; and enough that a host's acknowledgement is back before the link runs dry.
    """

    window_max = 2

    def __init__(self, radio, connection, out_handle: int) -> None:  # type: ignore[no-untyped-def]
        self._radio = radio
        self._connection = connection
        self._out_handle = out_handle
        self._pieces: list[bytes] = []
        self._at = 0
        self._progress_ms = 0
        self.is_read_empty = True
        self.times_full = 0

    @property
    def message_max(self) -> int:
        """Plaintext that fills whole fragments once it is sealed."""
        return max(_MESSAGE_FRAGMENTS * (self._connection.room - 1) - OVERHEAD_BYTES, _MESSAGE_MIN)

    def read(self) -> list[bytes]:
        """The fragments that have arrived."""
        connection = self._connection
        pieces, connection.inbox = connection.inbox, []
        return pieces  # type: ignore[no-any-return]

    @property
    def is_idle(self) -> bool:
        """True when the last message is out and the next may be queued."""
        return self._at >= len(self._pieces)

    def queue(self, pieces: list[bytes], now_real_ms: int) -> None:
        """Take the fragments of one message; only when `is_idle`."""
        self._pieces = pieces
        self._at = 0
        self._progress_ms = now_real_ms

    def drop(self) -> None:
        """Forget what is not yet sent."""
        self._pieces = []
        self._at = 0

    def pump(self, now_real_ms: int) -> bool:
        """Send what the stack takes now. False when it has taken nothing for 2 s, or the central is gone."""
        if not self._radio.can_pair and now_real_ms - self._progress_ms < _BTSTACK_PAUSE_MS and self._at:
            return True
        for _ in range(_PIECES_PER_TURN if self._radio.can_pair else 1):
            if self._at >= len(self._pieces):
                return True
            if self._connection.is_gone:
                return False
            if not self._radio.notify(self._connection.number, self._out_handle, self._pieces[self._at]):
                self.times_full += 1
                return now_real_ms - self._progress_ms < DEAD_MS
            self._at += 1
            self._progress_ms = now_real_ms
        return True
