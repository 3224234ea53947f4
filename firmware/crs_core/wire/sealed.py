"""Sealed messages: direction tag u8, counter u32 LE, ciphertext, 8-byte MAC over all before it.

`Sealer(encrypt_key, auth_key, tag).seal(plaintext)` -> payload; the counter starts at 0 and never wraps.
`Opener(encrypt_key, auth_key, tag).open(payload)` -> plaintext or None. It counts what it drops: reflected (this side's
own direction came back), bad_mac, replayed (a counter that is old, or the last one, which nobody uses). `missed` counts
the numbers that were skipped.
"""

import struct

from crs_core.compat import const
from crs_core.errors import LocalError
from crs_core.wire.crypto import Ctr, Hmac, equal

TAG_TO_DEVICE = const(0xD1)
TAG_TO_HOST = const(0xD2)
OVERHEAD_BYTES = const(13)
_HEADER_BYTES = const(5)
_MAC_BYTES = const(8)
_COUNTER_END = const(0xFFFFFFFF)  # never used


class Sealer:
    """Encrypts and numbers the messages of one direction."""

    def __init__(self, encrypt_key: bytes, auth_key: bytes, tag: int) -> None:
        self._ctr = Ctr(encrypt_key, tag)
        self._mac = Hmac(auth_key)
        self._tag = tag
        self.counter = 0  # of the next message

    def seal(self, plaintext: bytes) -> bytes:
        """Return the payload for one message; LocalError when the counter is used up (open a new session)."""
        counter = self.counter
        if counter >= _COUNTER_END:
            raise LocalError("the message counter is used up: open a new session")
        self.counter = counter + 1
        body = struct.pack("<BI", self._tag, counter) + self._ctr.crypt(counter, plaintext)
        return body + self._mac.digest(body)[:_MAC_BYTES]


class Opener:
    """Checks, orders and decrypts the messages of one direction."""

    def __init__(self, encrypt_key: bytes, auth_key: bytes, tag: int) -> None:
        self._ctr = Ctr(encrypt_key, tag)
        self._mac = Hmac(auth_key)
        self._tag = tag
        self.expected = 0  # counter of the next message
        self.reflected = 0
        self.bad_mac = 0
        self.replayed = 0
        self.missed = 0

    def open(self, payload: bytes) -> bytes | None:
        """Return the plaintext, or None when the payload must be dropped. A gap in the numbers is not an error: the
        line lost messages, `missed` counts them, and the host asks for the records again by sequence."""
        if payload[:1] != bytes([self._tag]):
            self.reflected += 1
            return None
        body = payload[:-_MAC_BYTES]
        if len(body) <= _HEADER_BYTES or not equal(
            self._mac.digest(body)[:_MAC_BYTES], payload[-_MAC_BYTES:]
        ):
            self.bad_mac += 1
            return None
        counter = struct.unpack("<I", body[1:_HEADER_BYTES])[0]
        if counter < self.expected or counter == _COUNTER_END:
            self.replayed += 1
            return None
        self.missed += counter - self.expected
        self.expected = counter + 1
        return self._ctr.crypt(counter, body[_HEADER_BYTES:])
