"""The opening of a session: HELLO both ways, PROOF both ways, or REFUSE. No version may change the HELLO layout.

HELLO 48 bytes, little-endian: "CWHL", low version u8, high version u8, features u16, largest message u16 (plaintext
bytes that the sender accepts), role u8 (1 device, 2 host), reserved u8 0, device id 8, journal id 8 (host: zeros),
key id u32 (the key the host asks for; the device repeats it), nonce 16.
PROOF 37 bytes: "CWPF", role u8, HMAC-SHA256(key, "cw proof" + role + host HELLO + device HELLO).
REFUSE 7 bytes: "CWRF", reason u8, low version u8, high version u8. It is not authenticated: advice only.
"""

import hashlib
import struct
from collections import namedtuple

from crs_core.compat import const
from crs_core.errors import LocalError, RemoteError
from crs_core.wire import crypto

VERSION_LOW = const(1)
VERSION_HIGH = const(1)
FEATURES = const(0)  # no optional feature yet; both sides use the bits that both set

ROLE_DEVICE = const(1)
ROLE_HOST = const(2)

REFUSE_VERSION = const(1)  # no protocol version in common
REFUSE_KEY = const(2)  # key id unknown or revoked
REFUSE_PROOF = const(3)  # the key's proof is wrong, or a HELLO was changed on the way
REFUSE_NO_SESSION = const(4)  # a sealed message came and no session is open (the device restarted)
REFUSE_BUSY = const(5)  # another link holds the device, or it is in maintenance
REFUSE_DEVICE = const(6)  # local to the host: another device than the one expected answered; never sent

HELLO_MAGIC = b"CWHL"
PROOF_MAGIC = b"CWPF"
REFUSE_MAGIC = b"CWRF"
HELLO_BYTES = const(48)
NONCE_BYTES = const(16)
NO_ID = bytes(8)

_LAYOUT = "<4sBBHHBB8s8sI16s"
_PROOF_BYTES = const(37)
_REFUSE_BYTES = const(7)

Hello = namedtuple(
    "Hello", ("low", "high", "features", "largest", "role", "device_id", "journal_id", "key_id", "nonce")
)
Refuse = namedtuple("Refuse", ("reason", "low", "high"))
SessionKeys = namedtuple("SessionKeys", ("h2d_encrypt", "h2d_auth", "d2h_encrypt", "d2h_auth"))


def nonce(drawn: bytes, *told: int) -> bytes:
    """A nonce from random bytes and from numbers that are others each time, such as boot, count and moment of the
    handshake: it repeats only when all of them do, so a poor random source alone repeats none."""
    mixed = hashlib.sha256(b"cw nonce" + drawn)
    for number in told:
        mixed.update(number.to_bytes(8, "little"))
    return mixed.digest()[:NONCE_BYTES]


_made = [0]  # HELLOs of this program, whichever session sent them: never set back while it runs


def fresh_nonce(random_bytes, boot: int) -> bytes:  # type: ignore[no-untyped-def]
    """The nonce of one more HELLO. It is counted here, so nobody who makes sessions can repeat one by a source of
    random bytes that repeats; `boot` is another number at each start of the program."""
    _made[0] += 1
    return nonce(random_bytes(NONCE_BYTES), boot, _made[0])


def encode_hello(hello: Hello) -> bytes:
    """Return the 48 bytes; LocalError when an id or the nonce has another length."""
    if len(hello.device_id) != 8 or len(hello.journal_id) != 8 or len(hello.nonce) != NONCE_BYTES:
        raise LocalError("a HELLO needs two ids of 8 bytes and a nonce of 16")
    return struct.pack(
        _LAYOUT, HELLO_MAGIC, hello.low, hello.high, hello.features, hello.largest, hello.role, 0,
        hello.device_id, hello.journal_id, hello.key_id, hello.nonce,
    )  # fmt: skip


def decode_hello(payload: bytes) -> Hello:
    """Read a HELLO of any protocol version; RemoteError for any other payload."""
    if len(payload) != HELLO_BYTES or payload[:4] != HELLO_MAGIC:
        raise RemoteError("not a HELLO")
    _, low, high, features, largest, role, _, device_id, journal_id, key_id, nonce = struct.unpack(
        _LAYOUT, payload
    )
    if role not in (ROLE_DEVICE, ROLE_HOST):
        raise RemoteError(f"HELLO with role {role}")
    return Hello(low, high, features, largest, role, device_id, journal_id, key_id, nonce)


def common_version(low: int, high: int) -> int:
    """The highest protocol version that this code and a peer of `low`..`high` share; 0 when there is none, as for a
    HELLO whose lowest is above its highest."""
    version = min(high, VERSION_HIGH)
    return version if version >= max(low, VERSION_LOW) else 0


def encode_proof(key: bytes, role: int, host_hello: bytes, device_hello: bytes) -> bytes:
    """The PROOF by which `role` shows that it has `key` and has seen both HELLOs exactly as they were sent."""
    code = crypto.Hmac(key).digest(b"cw proof" + bytes([role]) + host_hello + device_hello)
    return PROOF_MAGIC + bytes([role]) + code


def verify_proof(payload: bytes, key: bytes, role: int, host_hello: bytes, device_hello: bytes) -> bool:
    """Whether `payload` is the PROOF that `role` must send; compared in constant time."""
    if len(payload) != _PROOF_BYTES:
        return False
    return crypto.equal(payload, encode_proof(key, role, host_hello, device_hello))


def encode_refuse(reason: int) -> bytes:
    """The REFUSE that says why no session opens, with the versions of this side."""
    return REFUSE_MAGIC + bytes([reason, VERSION_LOW, VERSION_HIGH])


def decode_refuse(payload: bytes) -> Refuse:
    """Read a REFUSE; RemoteError for any other payload."""
    if len(payload) != _REFUSE_BYTES or payload[:4] != REFUSE_MAGIC:
        raise RemoteError("not a REFUSE")
    return Refuse(payload[4], payload[5], payload[6])


def session_keys(key: bytes, host_hello: bytes, device_hello: bytes) -> SessionKeys:
    """Four 16-byte keys, direction × (encrypt, authenticate), for this pair of HELLOs only."""
    salt = host_hello[-NONCE_BYTES:] + device_hello[-NONCE_BYTES:]
    info = b"cw v1" + hashlib.sha256(host_hello + device_hello).digest()
    okm = crypto.hkdf(key, salt, info, 64)
    return SessionKeys(okm[:16], okm[16:32], okm[32:48], okm[48:])
