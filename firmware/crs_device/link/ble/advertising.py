"""What the wearable says to everybody, 31 bytes at most: nothing that names it, its patient or its state.

Advertisement: flags, and manufacturer data under the company id 0xFFFF (nobody's): version u8, flags u8, the radio's
own address 6, salt 4, four tags of 3 bytes (wire/gatt_uuids.py). A tag covers all before it, so a copy that is sent
from another address is known for one. Scan response: name and service, while the pairing window is open; else nothing.
"""

import binascii
import os

from crs_core.compat import const
from crs_core.wire import gatt_uuids as names

_SALT_BYTES = const(4)
_GENERAL_LE_ONLY = const(0x06)
_FLAGS = const(0x01)
_SERVICES_128 = const(0x07)
_NAME = const(0x09)
_MANUFACTURER = const(0xFF)
# MicroPython's modes of the address
_OWN = const(0)
_RANDOM_STATIC = const(1)
_NON_RESOLVABLE = const(3)


def renewed(radio, app, pairing: bool) -> tuple[bytes, bytes]:  # type: ignore[no-untyped-def]
    """Give the radio another address, and return what to advertise and the scan response.

    A paired phone knows the wearable by its address: while one may pair, and once one did, it is the radio's own.
    """
    address = _renew_address(radio, not pairing and not radio.bonds.count)
    radio.ble.config(gap_name=names.NAME if pairing else names.NO_NAME)
    flags = names.FLAG_SIMULATED if app.board.simulated else 0
    if pairing:
        flags |= names.FLAG_PAIRING
    data = advertisement(flags, address, [key.key for key in app.keys])
    return data, scan_response() if pairing else b""


def _renew_address(radio, is_private: bool) -> bytes:  # type: ignore[no-untyped-def]
    """The address that is used now, zeros when the stack does not tell it.

    NimBLE has non-resolvable private addresses. Stock BTstack has random static ones only.
    """
    try:
        radio.is_advertising = False
        radio.ble.gap_advertise(None)  # no controller changes its address while it advertises
        for mode in (_NON_RESOLVABLE, _RANDOM_STATIC) if is_private else (_OWN,):
            try:
                radio.ble.config(addr_mode=mode)
                break
            except (OSError, ValueError):
                continue
        return bytes(radio.ble.config("mac")[1])
    except (OSError, ValueError, TypeError):
        return bytes(6)


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


def scan_response() -> bytes:
    """The scan response while a phone may pair: the name and the service's UUID, little-endian."""
    service_uuid = bytes(reversed(binascii.unhexlify(names.SERVICE.replace("-", ""))))
    return _field(_NAME, names.NAME.encode()) + _field(_SERVICES_128, service_uuid)
