"""The serial console between host and chip, without any I/O: what the receive ring, the newline cooking and the
REPL of a real board do to the bytes."""

import re

CTRL_C = b"\x03"
RX_RING = 260  # bytes a stock esp32 buffers; what comes while it is full is gone
_RAW_BANNER = b"raw REPL; CTRL-B to exit"
_PROMPT = b"\n>>> "
_HOLD_S = 1.0
_LONE_LF = re.compile(rb"(?<!\r)\n")


class Cooker:
    """Turns the chip's output into what leaves the port: text gets CR LF, bytes between the marks stay as they are."""

    def __init__(self, mark: bytes) -> None:
        self._opening = mark + b"<"
        self._closing = mark + b">"
        self._raw = False
        self._pending = b""
        self._last = b""

    def feed(self, data: bytes) -> bytes:
        """Return what leaves the port for `data`; an unfinished mark waits for its rest."""
        data = self._pending + data
        self._pending = b""
        out = bytearray()
        while data:
            mark = self._closing if self._raw else self._opening
            before, found, data = data.partition(mark)
            if not found:
                before, self._pending = _split_tail(before, mark)
            out += before if self._raw else self._cook(before)
            if found:
                self._raw = not self._raw
        return bytes(out)

    def _cook(self, text: bytes) -> bytes:
        if not text:
            return b""
        head, last = b"", text[-1:]
        if self._last == b"\r" and text[:1] == b"\n":  # the CR has left already
            head, text = b"\n", text[1:]
        self._last = last
        return head + _LONE_LF.sub(b"\r\n", text)


def _split_tail(data: bytes, mark: bytes) -> tuple[bytes, bytes]:
    """Split off a tail that could be the beginning of `mark`."""
    for size in range(min(len(mark) - 1, len(data)), 0, -1):
        if mark.startswith(data[-size:]):
            return data[:-size], data[-size:]
    return data, b""


class Receiver:
    """Host → chip: a ring that drops, and the pause that a Ctrl-C needs until the prompt is back.

    The interpreter throws away type-ahead when it starts its REPL; a real port keeps it, hence the pause.
    """

    def __init__(self, size: int = RX_RING) -> None:
        self._size = size
        self._ring = bytearray()
        self._held_until = 0.0
        self.dropped = 0  # bytes lost to a full ring since the wearable was started

    def accept(self, data: bytes, unread: int, now: float) -> None:
        """Take bytes from the host; `unread` are with the chip but not read yet.

        During the pause a further Ctrl-C adds nothing to the one that is on its way.
        """
        if now < self._held_until:
            data = data.replace(CTRL_C, b"")
        room = max(0, self._size - unread - len(self._ring))
        self._ring += data[:room]
        self.dropped += max(0, len(data) - room)

    def ready(self, now: float) -> bytes:
        """Return what may go to the chip now: bytes up to a Ctrl-C, or one Ctrl-C alone."""
        if now < self._held_until:
            return b""
        stop = self._ring.find(CTRL_C)
        return bytes(self._ring if stop < 0 else self._ring[: stop or 1])

    def taken(self, count: int) -> None:
        """`count` of the ready bytes have gone."""
        del self._ring[:count]

    def interrupted(self, now: float) -> None:
        """A Ctrl-C has just interrupted a program: what follows waits for the prompt."""
        self._held_until = now + _HOLD_S

    def is_held(self, now: float) -> bool:
        """Whether a Ctrl-C is still on its way."""
        return now < self._held_until

    @property
    def held_until(self) -> float | None:
        """When what waits may go on; None when nothing waits."""
        return self._held_until if self._held_until and self._ring else None

    def clear(self) -> None:
        """A Ctrl-C that interrupts overtakes what waits and empties the ring, as a port's receive interrupt does."""
        self._ring.clear()

    def release(self) -> None:
        """The prompt is back (or a new program runs): no more holding."""
        self._held_until = 0.0

    def inject(self, data: bytes) -> None:
        """Put bytes before everything else, as if typed."""
        self._ring[:0] = data


class ReplWatch:
    """Follows from the chip's output whether it is in the raw REPL."""

    def __init__(self) -> None:
        self.raw = False
        self._tail = b""

    def feed(self, data: bytes) -> bool:
        """Look at output; True when a prompt has just appeared."""
        self._tail = (self._tail + data)[-64:]
        if _RAW_BANNER in self._tail:
            self.raw, self._tail = True, b""
            return True
        if self._tail.endswith(_PROMPT):
            self.raw = False
            return True
        return self.raw and self._tail.endswith(b">")
