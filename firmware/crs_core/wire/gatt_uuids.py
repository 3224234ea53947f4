"""Names of the wearable on the air: its private service, the tag by which its hosts find it, the passkey. Both sides
use them.

An advertisement names neither product nor patient (crs_device/link/ble/advertising.py): a tag under each key, over a
salt that changes, is known only to who holds that key.
"""

from crs_core.compat import const
from crs_core.wire.crypto import Hmac

SERVICE = "6acd5f30-7c4c-436c-a191-3aa35a771ced"
# notify: one byte that counts up when alarms change, in session only
DOORBELL = "6acd5f31-7c4c-436c-a191-3aa35a771ced"
OUT = "6acd5f32-7c4c-436c-a191-3aa35a771ced"  # notify: fragments to the host
IN = "6acd5f33-7c4c-436c-a191-3aa35a771ced"  # write: fragments to the wearable
NAME = "CytoWatch"  # told while a phone may pair
NO_NAME = "-"
COMPANY = const(0xFFFF)
VERSION = const(2)  # of the manufacturer data
TAGS = const(4)  # one for each slot of a key
FLAG_SIMULATED = const(1)
FLAG_PAIRING = const(2)  # the pairing window is open
TAG_BYTES = const(3)
_PASSKEYS = const(1_000_000)


def tag(key: bytes, head: bytes) -> bytes:
    """What stands in an advertisement for the holder of `key`; `head` is the manufacturer data before the tags."""
    return Hmac(key).digest(b"cytowatch air" + head)[:TAG_BYTES]


def passkey(custodian_key: bytes, journal_id: bytes) -> int:
    """The six digits that pair a central. Each journal has another number, so a former wearer's number is useless."""
    code = Hmac(custodian_key).digest(b"cytowatch passkey" + journal_id)
    number: int = int.from_bytes(code[:4], "little") % _PASSKEYS
    return number
