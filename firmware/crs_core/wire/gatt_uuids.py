"""Names of the wearable on the air: its private service, its advertisement, the passkey. Both sides use them.

Advertised under the company id 0xFFFF (nobody's): version u8 = 1, flags u8, tag of 4 bytes. The tag is the first bytes
of SHA-256 over the device id: a host that knows the id finds its wearable, and the tag tells nobody who the patient is.
"""

import hashlib

from crs_core.compat import const
from crs_core.wire.crypto import Hmac

SERVICE = "6acd5f30-7c4c-436c-a191-3aa35a771ced"
# notify: one byte that counts up when alarms change, in session only
DOORBELL = "6acd5f31-7c4c-436c-a191-3aa35a771ced"
OUT = "6acd5f32-7c4c-436c-a191-3aa35a771ced"  # notify: fragments to the host
IN = "6acd5f33-7c4c-436c-a191-3aa35a771ced"  # write: fragments to the wearable
NAME = "CytoWatch"
COMPANY = const(0xFFFF)
VERSION = const(1)
FLAG_SIMULATED = const(1)
FLAG_PAIRING = const(2)  # the pairing window is open
_TAG_BYTES = const(4)
_PASSKEYS = const(1_000_000)


def tag(device_id: bytes) -> bytes:
    """What stands for a device id in an advertisement."""
    return hashlib.sha256(device_id).digest()[:_TAG_BYTES]


def encode_advertised(device_id: bytes, flags: int) -> bytes:
    """The manufacturer data, without the company id."""
    return bytes([VERSION, flags]) + tag(device_id)


def decode_advertised(data: bytes) -> tuple[int, bytes] | None:
    """(flags, tag) of manufacturer data; None when it is not ours."""
    if len(data) < 2 + _TAG_BYTES or data[0] != VERSION:
        return None
    return data[1], bytes(data[2 : 2 + _TAG_BYTES])


def passkey(custodian_key: bytes, journal_id: bytes) -> int:
    """The six digits that pair a central. Each journal has another number, so a former wearer's number is useless."""
    code = Hmac(custodian_key).digest(b"cytowatch passkey" + journal_id)
    number: int = int.from_bytes(code[:4], "little") % _PASSKEYS
    return number
