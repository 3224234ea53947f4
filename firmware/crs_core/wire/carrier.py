"""How payloads ride on a link: whole in one serial frame, or as fragments that each fill a radio payload.

Both carriers offer `encode(payload)` -> list of pieces to write in order, `feed(data)` -> list of ("frame", payload)
and ("text", bytes), `flush()` and `counters()`; the session does not know which one it has.
"""

from crs_core.wire import frame, sealed


class SerialCarrier:
    """One payload, one frame. `to_device` says in which direction this side writes; `largest` is the plaintext size
    that this side accepts."""

    def __init__(self, to_device: bool, largest: int) -> None:
        self._to_device = to_device
        self._decoder = frame.Decoder(largest + sealed.OVERHEAD_BYTES)

    def encode(self, payload: bytes) -> list[bytes]:
        """One piece: the frame."""
        return [frame.encode(payload, self._to_device)]

    def feed(self, data: bytes) -> list[tuple[str, bytes]]:
        """Take bytes in any cut."""
        return self._decoder.feed(data)

    def flush(self) -> list[tuple[str, bytes]]:
        """Give up a half-received frame."""
        return self._decoder.flush()

    def counters(self) -> dict[str, int]:
        """What the decoder threw away."""
        return self._decoder.counters()


class FragmentCarrier:
    """One payload, several fragments of at most `size` bytes; `feed` takes one fragment at a time."""

    def __init__(self, size: int, largest: int) -> None:
        from crs_core.wire import fragment  # a board that has only its serial port never loads it

        self._split = fragment.split
        self._size = size
        self._count = 0
        self._assembler = fragment.Assembler(largest + sealed.OVERHEAD_BYTES)

    def encode(self, payload: bytes) -> list[bytes]:
        """The fragments of one payload; the count rolls on over payloads."""
        pieces = self._split(payload, self._size, self._count)
        self._count = (self._count + len(pieces)) & 0x3F
        return pieces

    def feed(self, data: bytes) -> list[tuple[str, bytes]]:
        """Take one fragment as the radio delivered it."""
        payload = self._assembler.feed(data)
        return [] if payload is None else [("frame", payload)]

    def flush(self) -> list[tuple[str, bytes]]:
        """Give up a half-received payload and its count: a new connection starts over."""
        self._assembler.reset()
        self._count = 0
        return []

    def counters(self) -> dict[str, int]:
        """What the assembler threw away."""
        return self._assembler.counters()
