"""The enrolment file: what a host needs to talk to one wearable, sealed with a code that is sent by another way.

File: one JSON object. The key is scrypt(code, salt); the content is AES-256-GCM with the other fields as associated
data, so that a wrong code and a changed byte look alike and both are refused. The code has 12 random characters
(58.9 bits) and is given to the person who enrols, never sent with the file.
"""

import base64
import binascii
import json
import os
import unicodedata
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from crs_core.code_texts import role_of
from crs_core.units import SITES
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from host_agent.errors import ConfigError

FORMAT = "cytowatch.enrolment/1"
# OWASP's password storage sheet lists N=2^16, r=8, p=2 as a minimum; here a guess must beat 58.9 random bits besides.
_SCRYPT = {"n": 1 << 16, "r": 8, "p": 2}
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # without 0/O, 1/I/L, U: read aloud and typed
_CODE_CHARS = 12
_GROUP = 4
_LARGEST_FILE_BYTES = 16_384
KEY_BYTES = 32
NAME_BYTES = 24


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One key slot of one wearable. `device_id` 8 bytes, `key` 32 bytes, `role` custodian, reader, or rights such as
    `read+accept`."""

    device_id: bytes
    key_id: int
    key: bytes
    role: str
    name: str
    site: str

    def __repr__(self) -> str:  # a traceback or a log line must not carry the key
        return f"Enrolment(device_id={self.device_id.hex()}, key_id={self.key_id:08x}, role={self.role})"


def new_code(random_bytes: Callable[[int], bytes]) -> str:
    """A fresh one-time code such as `K7QD-M2XF-9TRB`; `random_bytes` is os.urandom or better."""
    chars = ""
    limit = 256 - 256 % len(_ALPHABET)  # bytes above would favour some letters
    while len(chars) < _CODE_CHARS:
        byte = random_bytes(1)[0]
        if byte < limit:
            chars += _ALPHABET[byte % len(_ALPHABET)]
    return "-".join(chars[i : i + _GROUP] for i in range(0, _CODE_CHARS, _GROUP))


def seal(enrolment: Enrolment, code: str, random_bytes: Callable[[int], bytes] | None = None) -> bytes:
    """The file's bytes; raises ConfigError when a field is out of its bounds or the code is not ours."""
    draw = random_bytes or os.urandom
    _check(enrolment)
    fields = {
        key: value.hex() if isinstance(value, bytes) else value for key, value in asdict(enrolment).items()
    }
    salt, nonce = draw(16), draw(12)
    header = {"format": FORMAT, **_SCRYPT, "salt": _b64(salt), "nonce": _b64(nonce)}
    sealed = AESGCM(_stretch(code, salt)).encrypt(
        nonce, json.dumps(fields, sort_keys=True).encode(), _bound(header)
    )
    return (json.dumps({**header, "sealed": _b64(sealed)}, indent=1) + "\n").encode()


def open_sealed(data: bytes, code: str) -> Enrolment:
    """The enrolment in a file's bytes; raises ConfigError for a wrong code, an altered or a foreign file."""
    header, sealed = _parse(data)
    nonce = _unb64(header["nonce"], 12)
    key = _stretch(code, _unb64(header["salt"], 16))
    try:
        plain = AESGCM(key).decrypt(nonce, sealed, _bound(header))
    except InvalidTag:
        raise ConfigError(
            "The enrolment file does not open: the code is wrong, or the file was altered on its way.",
            advice="Type the code again as it was printed. If it still fails, provision the wearable again.",
        ) from None
    try:
        fields = json.loads(plain)
        enrolment = Enrolment(
            device_id=bytes.fromhex(fields["device_id"]),
            key_id=fields["key_id"],
            key=bytes.fromhex(fields["key"]),
            role=fields["role"],
            name=fields["name"],
            site=fields["site"],
        )
    except (ValueError, KeyError, TypeError):
        raise _foreign("its content is not an enrolment") from None
    _check(enrolment)
    return enrolment


def _check(enrolment: Enrolment) -> None:
    problems = []
    if (
        not isinstance(enrolment.device_id, bytes)
        or len(enrolment.device_id) != 8
        or not any(enrolment.device_id)
    ):
        problems.append("device_id is not 8 bytes or is all zero")
    if type(enrolment.key_id) is not int or not 0 < enrolment.key_id < 1 << 32:
        problems.append("key_id is not from 1 to 4294967295")
    if not isinstance(enrolment.key, bytes) or len(enrolment.key) != KEY_BYTES:
        problems.append(f"key is not {KEY_BYTES} bytes")
    if not isinstance(enrolment.role, str) or not role_of(enrolment.role):
        problems.append("role is not custodian, reader, or rights such as read+accept")
    if not _is_name(enrolment.name):
        problems.append(f"name is not text of 1 to {NAME_BYTES} bytes without control characters")
    if enrolment.site not in SITES[1:]:
        problems.append(f"site is not one of {', '.join(SITES[1:])}")
    if problems:
        raise ConfigError(
            f"Not a valid enrolment: {', '.join(problems)}.", advice="Provision the wearable again."
        )


def _is_name(name: object) -> bool:
    if not isinstance(name, str) or any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        return False
    return 1 <= len(name.encode()) <= NAME_BYTES


def _parse(data: bytes) -> tuple[dict[str, Any], bytes]:
    if len(data) > _LARGEST_FILE_BYTES:
        raise _foreign("it is too large")
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        raise _foreign("it is not JSON") from None
    wanted = {"format", "n", "r", "p", "salt", "nonce", "sealed"}
    if not isinstance(tree, dict) or tree.get("format") != FORMAT:
        raise _foreign(f"it does not say format {FORMAT}")
    # fixed cost: a file must not be able to ask for all memory or for a weak key
    if set(tree) != wanted or any(tree[key] != value for key, value in _SCRYPT.items()):
        raise _foreign("its fields are not those of this format")
    sealed = _unb64(tree.pop("sealed"), None)
    return tree, sealed


def _foreign(why: str) -> ConfigError:
    return ConfigError(
        f"This is not an enrolment file: {why}.", advice="Give the file that the provisioning tool wrote."
    )


def plain_code(code: str) -> str:
    """The characters of a code as typed, without groups and in capitals; ConfigError when it cannot be a code."""
    letters = "".join(ch for ch in code.upper() if ch.isalnum())
    if len(letters) != _CODE_CHARS or any(ch not in _ALPHABET for ch in letters):
        raise ConfigError(
            f"A code has {_CODE_CHARS} characters out of {_ALPHABET}, in groups such as K7QD-M2XF-9TRB.",
            advice="Type it as printed. It has no 0, 1, I, L, O or U.",
        )
    return letters


def _stretch(code: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, **_SCRYPT).derive(plain_code(code).encode())


def _bound(header: dict[str, Any]) -> bytes:
    return json.dumps(header, sort_keys=True, separators=(",", ":")).encode()


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unb64(text: object, length: int | None) -> bytes:
    try:
        data = base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError):
        raise _foreign("a field is not base64") from None
    if length is not None and len(data) != length:
        raise _foreign("a field has the wrong length")
    return data
