"""Fragments: one message cut to the size of a radio payload, one header byte each. The radio keeps their order.

Header: bit 7 first, bit 6 last, bits 0-5 a count that rolls over all fragments of one direction of one link.
`split(message, size, count)` -> list of fragments; the next message starts at `count + len(list)`.
`Assembler(max_message).feed(fragment)` -> whole message or None; it never raises, it counts.
"""

from crs_core.compat import const
from crs_core.errors import LocalError

_FIRST = const(0x80)
_LAST = const(0x40)
_COUNT_MASK = const(0x3F)


def split(message: bytes, size: int, count: int = 0) -> list[bytes]:
    """Cut `message` into fragments of at most `size` bytes, header included; `count` is the first one's count."""
    if size < 2:
        raise LocalError("a fragment needs a header and at least one byte")
    if not message:
        raise LocalError("an empty message cannot be sent")
    room = size - 1
    last_start = (len(message) - 1) // room * room
    fragments: list[bytes] = []
    for start in range(0, len(message), room):
        header = (count + len(fragments)) & _COUNT_MASK
        if start == 0:
            header |= _FIRST
        if start == last_start:
            header |= _LAST
        fragments.append(bytes([header]) + message[start : start + room])
    return fragments


class Assembler:
    """Puts fragments together again. Counts doubled, oversize, empty, and torn: unfinished messages and fragments out
    of order."""

    def __init__(self, max_message: int) -> None:
        self._max_message = max_message
        self._pieces: list[bytes] | None = None  # None: waiting for a first fragment
        self._length = 0
        self._last_header = -1
        self.torn = 0
        self.doubled = 0
        self.oversize = 0
        self.empty = 0

    def reset(self) -> None:
        """Forget the unfinished message and the count: a new connection starts over."""
        self._pieces = None
        self._last_header = -1

    def counters(self) -> dict[str, int]:
        """The counts by name."""
        return {"torn": self.torn, "doubled": self.doubled, "oversize": self.oversize, "empty": self.empty}

    def feed(self, fragment: bytes) -> bytes | None:
        """Take one fragment as the carrier delivered it; return the message it completed."""
        if len(fragment) < 2:
            self.empty += 1
            return None
        header = fragment[0]
        previous, self._last_header = self._last_header, header
        if header == previous:
            self.doubled += 1
            return None
        expected = (previous + 1) & _COUNT_MASK
        if header & _FIRST:
            if self._pieces is not None:
                self.torn += 1
            self._pieces = []
            self._length = 0
        elif self._pieces is None or header & _COUNT_MASK != expected:
            self.torn += 1
            self._pieces = None
            return None
        self._length += len(fragment) - 1
        if self._length > self._max_message:
            self.oversize += 1
            self._pieces = None
            return None
        self._pieces.append(bytes(fragment[1:]))
        if not header & _LAST:
            return None
        message = b"".join(self._pieces)
        self._pieces = None
        return message
