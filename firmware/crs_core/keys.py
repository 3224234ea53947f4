"""The key file: who this wearable is and which hosts may talk to it.

Layout, little-endian: version 1 u8, device_id 8 B, slot count u8, then per slot key_id u32, role u8, key 32 B,
name (u8 length + UTF-8). There are four slots. When there is a key, exactly one is the custodian's: only the
custodian's acknowledgement frees flash. Key ids are 1..2**32-1 and distinct. A role is one of wire/rights.py: the
custodian's, a reader's, or 128 plus the rights of the key.
"""

import struct
from collections import namedtuple

from crs_core.compat import const
from crs_core.errors import LocalError, RemoteError
from crs_core.wire import rights

VERSION = const(1)
ROLE_CUSTODIAN = rights.CUSTODIAN
ROLE_READER = rights.READER
KEY_LEN = const(32)
SLOTS = const(4)
NAME_MAX = const(24)  # bytes of UTF-8

# key: 32 secret bytes; never log one
Key = namedtuple("Key", ("key_id", "role", "key", "name"))


def _fault(device_id: bytes, keys: list[Key]) -> str:
    if len(device_id) != 8:
        return "device id must be 8 bytes"
    if len(keys) > SLOTS:
        return "more than %d keys" % SLOTS
    ids = []
    custodians = 0
    for key in keys:
        if key.key_id in ids or not 1 <= key.key_id <= 0xFFFFFFFF:
            return "key id %d doubled or outside 1..2**32-1" % key.key_id
        ids.append(key.key_id)
        if not rights.of_role(key.role):
            return "key %d has role %d" % (key.key_id, key.role)
        custodians += key.role == ROLE_CUSTODIAN
        if len(key.key) != KEY_LEN or len(key.name.encode()) > NAME_MAX:
            return "key %d has a wrong key or name length" % key.key_id
    if keys and custodians != 1:
        return "%d custodians among the keys, not 1" % custodians
    return ""


def encode(device_id: bytes, keys: list[Key]) -> bytes:
    """The key file; LocalError when a rule above is broken."""
    fault = _fault(device_id, keys)
    if fault:
        raise LocalError(fault)
    out = bytearray(struct.pack("<B8sB", VERSION, device_id, len(keys)))
    for key in keys:
        name = key.name.encode()
        out.extend(struct.pack("<IB", key.key_id, key.role))
        out.extend(key.key)
        out.append(len(name))
        out.extend(name)
    return bytes(out)


def decode(data: bytes) -> tuple[bytes, list[Key]]:
    """(device_id, keys); RemoteError when cut, padded or against the rules. Messages never show key bytes."""
    data = bytes(data)
    if len(data) < 10 or data[0] != VERSION:
        raise RemoteError("key file cut short or of an unknown version")
    device_id = data[1:9]
    keys = []
    at = 10
    for _ in range(data[9]):
        if at + 38 > len(data):
            raise RemoteError("key file cut short")
        key_id, role = struct.unpack_from("<IB", data, at)
        key = data[at + 5 : at + 37]
        end = at + 38 + data[at + 37]
        if end > len(data):
            raise RemoteError("key file cut short")
        try:
            name = str(data[at + 38 : end], "utf-8")
        except UnicodeError:
            raise RemoteError("key name is not UTF-8")
        keys.append(Key(key_id, role, key, name))
        at = end
    if at != len(data):
        raise RemoteError("bytes after the last key")
    fault = _fault(device_id, keys)
    if fault:
        raise RemoteError(fault)
    return device_id, keys


def find(keys: list[Key], key_id: int) -> Key | None:
    """The key of that id, or None."""
    for key in keys:
        if key.key_id == key_id:
            return key
    return None
