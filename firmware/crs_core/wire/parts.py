"""Settings, Context and Bind go to the device in numbered parts, because it accepts small messages only.

`split_parts(data, room)` -> list of bytes, at least one. `PartJoiner(max_bytes).add(part, parts, data)` -> whole bytes
when the last part came, else None (answer Result RESULT_MORE_PARTS). Parts count from 0 and come in order, one
outstanding at a time. Part 0 starts over. Anything else is a RemoteError.
"""

from crs_core.errors import LocalError, RemoteError


def split_parts(data: bytes, room: int) -> list[bytes]:
    """Cut `data` into at most 255 pieces of at most `room` bytes; empty data is one empty piece."""
    if room < 1 or len(data) > 255 * room:
        raise LocalError(f"{len(data)} bytes do not fit 255 parts of {room}")
    return [data[i : i + room] for i in range(0, len(data), room)] or [b""]


class PartJoiner:
    """Joins the parts of one kind of request; holds at most `max_bytes`."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._whole = b""
        self._next = 0
        self._parts = 0

    def add(self, part: int, parts: int, data: bytes) -> bytes | None:
        """Take one part; RemoteError (and a fresh start) when it does not continue what came before."""
        if part == 0:
            self._whole = b""
            self._next = 0
            self._parts = parts
        if part != self._next or parts != self._parts or part >= parts:
            self._next = self._parts = 0
            raise RemoteError(f"part {part} of {parts} came out of order")
        if len(self._whole) + len(data) > self._max_bytes:
            self._next = self._parts = 0
            raise RemoteError(f"more than {self._max_bytes} bytes in parts")
        self._whole += data
        self._next += 1
        if self._next < parts:
            return None
        whole, self._whole = self._whole, b""
        self._next = self._parts = 0
        return whole
