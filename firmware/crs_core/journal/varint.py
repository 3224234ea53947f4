"""Unsigned varints (7 bits per byte, low group first, high bit = more follows) and zigzag for signed numbers.

A varint has at most 8 bytes (56 bits), enough for the difference of two 48-bit times. A number has only one coding:
padding with empty groups is refused, so equal content is equal bytes.
"""

from crs_core.compat import const
from crs_core.errors import LocalError, RemoteError

MAX_BYTES = const(8)
_LIMIT = const(1 << 56)


def put(out: bytearray, value: int) -> None:
    """Append `value` (0 .. 2**56-1) to `out`."""
    if not 0 <= value < _LIMIT:
        raise LocalError("varint %d outside 0..2**56-1" % value)
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)


def get(data: bytes, offset: int) -> tuple[int, int]:
    """Return (value, offset after it); RemoteError when cut short, too long or padded."""
    value = shift = 0
    end = len(data)
    start = offset
    while True:
        if offset >= end:
            raise RemoteError("varint cut short")
        byte = data[offset]
        offset += 1
        value |= (byte & 127) << shift
        if byte < 128:
            break
        shift += 7
        if shift == 7 * MAX_BYTES:
            raise RemoteError("varint longer than %d bytes" % MAX_BYTES)
    if byte == 0 and offset - start > 1:
        raise RemoteError("varint padded with an empty group")
    return value, offset


def zigzag(value: int) -> int:
    """Fold the sign into bit 0: 0, -1, 1, -2 become 0, 1, 2, 3."""
    return value << 1 if value >= 0 else (-value << 1) - 1


def unzigzag(value: int) -> int:
    """Inverse of `zigzag`."""
    return (value >> 1) ^ -(value & 1)
