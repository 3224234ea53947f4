"""The standard functions that stock MicroPython lacks, written over hashlib.sha256 and AES-128 ECB.

`Hmac(key).digest(data)` is RFC 2104 with SHA-256; `hkdf(...)` is RFC 5869; `Ctr(key).crypt(...)` is AES-128 in counter
mode (SP 800-38A) with the 16-byte counter block of the session; `equal(a, b)` takes the same time wherever they differ.
"""

import hashlib
import struct

from crs_core.compat import aes_ecb, const
from crs_core.errors import LocalError

_HASH_BLOCK = const(64)
_CHUNK_BYTES = const(512)  # one ECB call and one XOR each: bounds the scratch memory of a 4 KiB message


class Hmac:
    """HMAC-SHA256 under one key; the padded keys are made once."""

    def __init__(self, key: bytes) -> None:
        if len(key) > _HASH_BLOCK:
            key = hashlib.sha256(key).digest()
        padded = key + bytes(_HASH_BLOCK - len(key))
        self._inner = bytes([b ^ 0x36 for b in padded])
        self._outer = bytes([b ^ 0x5C for b in padded])

    def digest(self, data: bytes) -> bytes:
        """Return the 32-byte code of `data`."""
        inner = hashlib.sha256(self._inner)
        inner.update(data)
        outer = hashlib.sha256(self._outer)
        outer.update(inner.digest())
        return outer.digest()


def hkdf(key: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """Extract and expand `key` to `length` bytes, at most 255 × 32."""
    if length > 255 * 32:
        raise LocalError("HKDF gives at most 8160 bytes")
    expand = Hmac(Hmac(salt).digest(key))
    block = b""
    out = b""
    index = 1
    while len(out) < length:
        block = expand.digest(block + info + bytes([index]))
        out += block
        index += 1
    return out[:length]


def equal(a: bytes, b: bytes) -> bool:
    """Whether `a` and `b` are the same bytes. Every byte is compared, so the time tells only the length."""
    if len(a) != len(b):
        return False
    difference = 0
    for i in range(len(a)):
        difference |= a[i] ^ b[i]
    return difference == 0


class Ctr:
    """AES-128 counter mode: counter block = message counter u32 LE, direction u8, 7 zero bytes, block index u32 BE."""

    def __init__(self, key: bytes, direction: int) -> None:
        self._ecb = aes_ecb(key)
        self._direction = direction

    def crypt(self, counter: int, data: bytes) -> bytes:
        """Encrypt or decrypt `data` as message number `counter`; the pair (key, counter) must never come twice."""
        prefix = struct.pack("<IB7x", counter, self._direction)
        if len(data) <= _CHUNK_BYTES:
            return self._chunk(prefix, 0, data)
        return b"".join(
            [
                self._chunk(prefix, start, data[start : start + _CHUNK_BYTES])
                for start in range(0, len(data), _CHUNK_BYTES)
            ]
        )

    def _chunk(self, prefix: bytes, start: int, data: bytes) -> bytes:
        size = len(data)
        blocks = (size + 15) >> 4
        first = start >> 4
        # Block indices, big-endian, after an empty first item: `prefix.join` then writes the counter blocks.
        indices = [b""] + [struct.pack(">I", first + i) for i in range(blocks)]
        stream = self._ecb.encrypt(prefix.join(indices))[:size]
        # One wide XOR is 20 times faster than a loop over bytes on MicroPython.
        return (int.from_bytes(stream, "little") ^ int.from_bytes(data, "little")).to_bytes(size, "little")
