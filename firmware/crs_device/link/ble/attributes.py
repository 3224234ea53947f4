"""Which services a wearable shows, and how many bytes of the board's attribute table they take.

Device Information and the private service always; the standard health services only where the radio can pair, readable
only encrypted and authenticated. BTstack on stock Pico 2 W has a table of 512 bytes and silently leaves out what does
not fit: so the bytes are counted first (sizes: att_db_util of BTstack).
"""

from crs_core.compat import const
from crs_core.wire import gatt_uuids as names

_READ = const(0x02)
_WRITE_NO_RESPONSE = const(0x04)
_WRITE = const(0x08)
_NOTIFY = const(0x10)
_INDICATE = const(0x20)
_PAIRED = const(0x0602)  # read, and only over a link that is encrypted and authenticated

# GAP with name, GATT with Service Changed, and the end mark, as MicroPython sets them up
_BASE_BYTES = const(64)
_ENTRY_BYTES = const(6)  # size, flags, handle

# (service, (characteristic, flags), ...); a number is a UUID of the Bluetooth SIG
INFORMATION = (0x180A, (0x2A29, _READ), (0x2A24, _READ), (0x2A25, _READ), (0x2A26, _READ))
PRIVATE = (
    names.SERVICE,
    (names.DOORBELL, _NOTIFY),
    (names.OUT, _NOTIFY),
    (names.IN, _WRITE | _WRITE_NO_RESPONSE),
)
THERMOMETER = (0x1809, (0x2A1C, _INDICATE), (0x2A1D, _PAIRED))
OXIMETER = (0x1822, (0x2A5F, _NOTIFY), (0x2A60, _PAIRED))
# Desktops read it at every connection. "Insufficient Authentication" would make them pair there and then, and drop the
# link when nobody types the passkey: so the stack lets everybody ask, and the radio refuses who is not paired.
BATTERY = (0x180F, (0x2A19, _READ | _NOTIFY))
TIME = (0x1805, (0x2A2B, _PAIRED | _NOTIFY))


def services(can_pair: bool) -> tuple:  # type: ignore[type-arg]
    """What this wearable shows, in order."""
    both = (INFORMATION, PRIVATE)
    return both + (THERMOMETER, OXIMETER, BATTERY, TIME) if can_pair else both


def _uuid_bytes(uuid) -> int:  # type: ignore[no-untyped-def]
    return 2 if isinstance(uuid, int) else 16


def table_bytes(shown: tuple) -> int:  # type: ignore[type-arg]
    """Bytes of the attribute table: each entry has size, flags, handle, its own UUID and its value."""
    total = _BASE_BYTES
    for service in shown:
        total += _ENTRY_BYTES + 2 + _uuid_bytes(service[0])
        for uuid, flags in service[1:]:
            size = _uuid_bytes(uuid)
            total += _ENTRY_BYTES + 2 + 3 + size  # declaration: properties, handle, UUID
            total += _ENTRY_BYTES + size  # the value itself is asked of Python
            if flags & (_NOTIFY | _INDICATE):
                total += _ENTRY_BYTES + 2 + 2  # the descriptor that subscribes
    return total


def register(ble, bluetooth, shown: tuple) -> dict:  # type: ignore[no-untyped-def,type-arg]
    """Show them; returns {UUID: value handle}. OSError when the stack lost one."""
    trees = []
    for service in shown:
        rows = [(bluetooth.UUID(uuid), flags) for uuid, flags in service[1:]]
        trees.append((bluetooth.UUID(service[0]), rows))
    found = {}
    for service, handles in zip(shown, ble.gatts_register_services(trees)):
        for row, handle in zip(service[1:], handles):
            if not handle:
                raise OSError(12)  # ENOMEM
            found[row[0]] = handle
    return found
