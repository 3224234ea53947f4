"""What the wearable says to everybody, 31 bytes at most: nothing that names it, its patient or its state.

Advertisement: flags, and manufacturer data under the company id 0xFFFF (nobody's): version u8, flags u8, the radio's
own address 6, salt 4, four tags of 3 bytes (wire/gatt_uuids.py). A tag covers all before it, so a copy that is sent
from another address is known for one. Scan response: name and service, while the pairing window is open; else nothing.
The interval is always the same.
"""

import os

from crs_core.compat import const
from crs_core.wire import gatt_uuids as names

INTERVAL_US = const(152_500)  # one that phones look for
RENEW_MS = const(900_000)  # salt and address, as radios renew private addresses
_SALT_BYTES = const(4)
_GENERAL_LE_ONLY = const(0x06)
_FLAGS = const(0x01)
_SERVICES_128 = const(0x07)
_NAME = const(0x09)
_MANUFACTURER = const(0xFF)


def _field(kind: int, data: bytes) -> bytes:
    return bytes([len(data) + 1, kind]) + data


def advertisement(flags: int, address: bytes, keys: list[bytes], random_bytes=os.urandom) -> bytes:  # type: ignore[no-untyped-def]
    """The advertising data; `address` as it is printed, zeros when the stack does not tell it."""
    head = bytes([names.VERSION, flags]) + address + random_bytes(_SALT_BYTES)
    tags = b"".join([names.tag(key, head) for key in keys[: names.TAGS]])
    free = random_bytes(
        names.TAGS * names.TAG_BYTES - len(tags)
    )  # how many keys there are is nobody's business
    own = bytes([names.COMPANY & 0xFF, names.COMPANY >> 8]) + head + tags + free
    return _field(_FLAGS, bytes([_GENERAL_LE_ONLY])) + _field(_MANUFACTURER, own)


def scan_response(service_uuid: bytes) -> bytes:
    """The scan response while a phone may pair; `service_uuid` little-endian."""
    return _field(_NAME, names.NAME.encode()) + _field(_SERVICES_128, service_uuid)
