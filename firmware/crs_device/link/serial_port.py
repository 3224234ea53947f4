"""The serial carrier: the port that is also the REPL. Raw bytes in, pieces of at most 64 bytes out, never a wait.

The driver's streams answer one question only, "would this block?", so input is taken byte by byte while the poll says
there is one, and a piece is written only when the poll says there is room. Ctrl-C stays the interpreter's: no frame
towards the device contains 0x03.
"""

import select

from crs_core.compat import const

_PIECE_BYTES = const(64)
READ_MAX = const(512)  # bytes a turn: a flood of input must not delay sampling
_PIECES_PER_TURN = const(64)  # the same for output
DEAD_MS = const(2000)


class SerialPort:
    """`stdin` and `stdout` are the raw buffer streams. One frame is queued at a time; times are real ms."""

    window_max = 65_535
    message_max = 65_535

    def __init__(self, stdin, stdout) -> None:  # type: ignore[no-untyped-def]
        self._stdin = stdin
        self._stdout = stdout
        self._can_read = select.poll()
        self._can_read.register(stdin, select.POLLIN)
        self._can_write = select.poll()
        self._can_write.register(stdout, select.POLLOUT)
        self._input = bytearray(READ_MAX)
        self._out: memoryview | None = None
        self._progress_ms = 0
        self.is_read_empty = True

    def read(self) -> list[bytes]:
        """What has arrived: one piece of at most 512 bytes, or nothing."""
        n = 0
        ready = self._can_read.poll(0)
        while n < READ_MAX and ready and ready[0][1] & select.POLLIN:
            byte = self._stdin.read(1)
            if not byte:
                break
            self._input[n] = byte[0]
            n += 1
            ready = self._can_read.poll(0)
        self.is_read_empty = n < READ_MAX
        return [bytes(self._input[:n])] if n else []

    @property
    def is_idle(self) -> bool:
        """True when the last frame is out and the next may be queued."""
        return self._out is None

    def queue(self, pieces: list[bytes], now_real_ms: int) -> None:
        """Take one frame to send; only when `is_idle`."""
        self._out = memoryview(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        self._progress_ms = now_real_ms

    def drop(self) -> None:
        """Forget the rest of the frame that is being sent."""
        self._out = None

    def pump(self, now_real_ms: int) -> bool:
        """Send what the port takes now. False when it has taken nothing for 2 s: the link is dead."""
        for _ in range(_PIECES_PER_TURN):
            out = self._out
            if out is None:
                return True
            ready = self._can_write.poll(0)
            if not ready or not ready[0][1] & select.POLLOUT:
                return now_real_ms - self._progress_ms < DEAD_MS
            try:
                written = self._stdout.write(out[:_PIECE_BYTES])
            except OSError:
                written = 0
            if not written:
                return now_real_ms - self._progress_ms < DEAD_MS
            self._progress_ms = now_real_ms
            self._out = out[written:] if written < len(out) else None
        return True
