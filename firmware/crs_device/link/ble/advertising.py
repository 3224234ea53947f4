"""What the wearable says to everybody, and how often: 31 bytes at most, and no word about a patient.

Advertisement: flags, the private service's UUID, the connection interval it prefers. Scan response: name and
manufacturer data (wire/gatt_uuids.py).
"""

import struct

from crs_core.compat import const
from crs_core.wire import gatt_uuids as names

# calm: intervals that phones look for (multiples of 0.625 ms as accessories use them)
SLOW_US = const(1_022_500)
FAST_US = const(152_500)
FAST_MS = const(120_000)  # after an alarm, a button or a lost host
_GENERAL_LE_ONLY = const(0x06)
_FLAGS = const(0x01)
_SERVICES_128 = const(0x07)
_NAME = const(0x09)
_INTERVALS = const(0x12)
_MANUFACTURER = const(0xFF)
# 1.25 ms: 15 to 30 ms when records or an alarm wait, 100 to 200 ms when nothing does
_INTERVALS_FAST = (12, 24)
_INTERVALS_SLOW = (80, 160)


def _field(kind: int, data: bytes) -> bytes:
    return bytes([len(data) + 1, kind]) + data


def advertisement(service_uuid: bytes, fast: bool) -> bytes:
    """The advertising data; `service_uuid` little-endian."""
    intervals = _INTERVALS_FAST if fast else _INTERVALS_SLOW
    return (
        _field(_FLAGS, bytes([_GENERAL_LE_ONLY]))
        + _field(_SERVICES_128, service_uuid)
        + _field(_INTERVALS, struct.pack("<HH", intervals[0], intervals[1]))
    )


def scan_response(device_id: bytes, flags: int) -> bytes:
    """The scan response data."""
    own = struct.pack("<H", names.COMPANY) + names.encode_advertised(device_id, flags)
    return _field(_NAME, names.NAME.encode()) + _field(_MANUFACTURER, own)
