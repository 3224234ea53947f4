"""Each payload in one serial frame. fragment_carrier.py carries them over a radio.

Both carriers offer `encode(payload)` -> list of pieces to write in order, `feed(data)` -> list of ("frame", payload)
and ("text", bytes), `flush()` and `counters()`. A session works with either and does not know which one it has.
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
        """Take bytes, however they are cut."""
        return self._decoder.feed(data)

    def flush(self) -> list[tuple[str, bytes]]:
        """Give up a half-received frame."""
        return self._decoder.flush()

    def counters(self) -> dict[str, int]:
        """What the decoder dropped."""
        return self._decoder.counters()
