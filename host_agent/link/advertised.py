"""What wearables advertise, and whose it is (PROTOCOL.md, "What is advertised").

Version 2 can be resolved only with the wearable's key, and holds for the address that is inside alone. Version 1, of
earlier wearables, has a fixed tag that anybody can copy.
"""

import hashlib
from functools import lru_cache
from typing import NamedTuple

from crs_core.wire import gatt_uuids as names

_HEAD_2 = 12  # version, flags, address 6, salt 4
_BYTES_2 = _HEAD_2 + names.TAGS * names.TAG_BYTES
_BYTES_1 = 6
_TAG_1 = 4
_RESOLVED_MAX = 4096
_PRINTED_ADDRESS = 17  # macOS shows an identifier of its own instead


class Advertised(NamedTuple):
    """Manufacturer data of a wearable: `head` is what the tags cover. `address` "" when it is not inside."""

    version: int
    flags: int
    address: str
    head: bytes
    tags: tuple[bytes, ...]

    def is_of(self, device_id: bytes, key: bytes) -> bool:
        """Whether the holder of this key advertised it (version 1: or anybody who knows the device id)."""
        if self.version == 1:
            return hashlib.sha256(device_id).digest()[:_TAG_1] in self.tags
        return _tag(key, self.head) in self.tags

    def may_come_from(self, address: str) -> bool:
        """False when another radio sends a copy: the address inside is not the sender's."""
        return not self.address or len(address) != _PRINTED_ADDRESS or address.upper() == self.address

    def only_comes_from(self, address: str) -> bool:
        """Whether the sender's address was compared."""
        return bool(self.address) and address.upper() == self.address


@lru_cache(_RESOLVED_MAX)
def _tag(key: bytes, head: bytes) -> bytes:
    return bytes(names.tag(key, head))


def decode(data: bytes) -> Advertised | None:
    """Read the manufacturer data without the company id; None when it is not a wearable's."""
    if len(data) == _BYTES_2 and data[0] == names.VERSION:
        head = bytes(data[:_HEAD_2])
        address = ":".join(f"{byte:02X}" for byte in head[2:8]) if any(head[2:8]) else ""
        size = names.TAG_BYTES
        return Advertised(2, head[1], address, head, tuple(
            bytes(data[at : at + size]) for at in range(_HEAD_2, _BYTES_2, size)
        ))  # fmt: skip
    if len(data) == _BYTES_1 and data[0] == 1:
        return Advertised(1, data[1], "", bytes(data[:2]), (bytes(data[2:]),))
    return None
