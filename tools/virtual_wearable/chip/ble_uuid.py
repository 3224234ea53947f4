"""`bluetooth.UUID` of the virtual chip. Runs on MicroPython."""

import struct
from binascii import hexlify, unhexlify


class UUID(bytes):
    """16-bit, 32-bit or 128-bit, little-endian in memory."""

    def __init__(self, value):
        if isinstance(value, int):
            if not 0 <= value <= 0xFFFF:
                raise ValueError("invalid UUID")
            raw = struct.pack("<H", value)
        elif isinstance(value, str):
            digits = value.replace("-", "")
            if len(digits) != 32:
                raise ValueError("UUID too short" if len(digits) < 32 else "UUID too long")
            try:
                raw = bytes(reversed(unhexlify(digits)))
            except ValueError:
                raise ValueError("invalid char in UUID")
        else:
            raw = bytes(value)
            if len(raw) not in (2, 4, 16):
                raise ValueError("UUID too short")
        super().__init__(raw)

    def __repr__(self):
        digits = hexlify(bytes(reversed(bytes(self)))).decode()
        if len(digits) <= 8:
            return "UUID(0x%s)" % digits
        return "UUID('%s-%s-%s-%s-%s')" % (
            digits[:8],
            digits[8:12],
            digits[12:16],
            digits[16:20],
            digits[20:],
        )

    __str__ = __repr__

    def __hash__(self):
        return hash(bytes(self))

    def __eq__(self, other):
        return isinstance(other, UUID) and bytes(self) == bytes(other)
