"""Each payload in radio fragments. serial_carrier.py says what a carrier offers."""

from crs_core.wire import fragment, sealed


class FragmentCarrier:
    """One payload, several fragments of at most `size` bytes; `feed` takes one fragment at a time."""

    def __init__(self, size: int, largest: int) -> None:
        self._split = fragment.split
        self.size = size  # the owner sets it as the connection changes; it counts for the next payload
        self._count = 0
        self._assembler = fragment.Assembler(largest + sealed.OVERHEAD_BYTES)

    def encode(self, payload: bytes) -> list[bytes]:
        """The fragments of one payload; the count rolls on over payloads."""
        pieces = self._split(payload, self.size, self._count)
        self._count = (self._count + len(pieces)) & 0x3F
        return pieces

    def feed(self, data: bytes) -> list[tuple[str, bytes]]:
        """Take one fragment as the radio delivered it."""
        payload = self._assembler.feed(data)
        return [] if payload is None else [("frame", payload)]

    def flush(self) -> list[tuple[str, bytes]]:
        """Give up a half-received payload. The count of this side goes on: from 0 the other side could take it for a
        double."""
        self._assembler.reset()
        return []

    def counters(self) -> dict[str, int]:
        """What the assembler dropped."""
        return self._assembler.counters()
