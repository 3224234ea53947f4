"""One signed entry: what it holds, its one canonical form, and what exactly is signed.

Canonical form: JSON in UTF-8, keys sorted, no blanks, characters beyond ASCII as they are. Numbers are integers; one
that is not whole (a flow of 0.5 L/min) is a text such as "0.5". Signed is DOMAIN followed by these bytes (Ed25519), so
a signature can never be taken for one over anything else. `prev` is the hash of the audit row before, so a signature
covers the whole chain before it.
"""

import hashlib
import json
import re
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

VERSION = 1
DOMAIN = b"CytoWatch signed entry 1\x00"
NO_HASH = bytes(32)  # `prev` of the first row
LARGEST_BYTES = 16_384
KINDS = (
    "account_add", "account_disable", "administrator", "vouch", "context", "grade", "death", "close_episode",
    "countersign", "reverse", "rules", "limits", "act", "accept", "silence",
)  # fmt: skip
_HEX32 = re.compile(r"^[0-9a-f]{32}$")
_HEX16 = re.compile(r"^[0-9a-f]{16}$")
_HEX64 = re.compile(r"^[0-9a-f]{64}$")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
_LAST_MS = 1 << 48
ADMINISTRATOR = "@administrator"  # signs with the administrator code; no account can have this name


class MalformedEntryError(ValueError):
    """Bytes or fields that are no canonical entry; `args[0]` says which part."""


class Entry(NamedTuple):
    """`binding`, `patient` None: not about a patient. `refers_to`: the entry corrected, countersigned or reversed."""

    kind: str
    id: str
    account: str
    key: str
    binding: str | None
    patient: str | None
    observed_utc_ms: int
    entered_utc_ms: int
    values: dict[str, Any]
    refers_to: str | None
    prev: str


def is_account_name(name: object) -> bool:
    """1 to 32 of a-z, 0-9, dot, dash and underscore; starts with a letter or digit."""
    return isinstance(name, str) and bool(_NAME.fullmatch(name))


def encode(entry: Entry) -> bytes:
    """The canonical bytes; MalformedEntryError names the field that does not fit."""
    _check(entry)
    return _canonical({**entry._asdict(), "v": VERSION})


def decode(raw: bytes) -> Entry:
    """Read canonical bytes; MalformedEntryError for anything that `encode` would not have written just so."""
    if len(raw) > LARGEST_BYTES:
        raise MalformedEntryError("it is too large")
    try:
        tree = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        raise MalformedEntryError("it is not JSON") from None
    if not isinstance(tree, dict) or set(tree) != {*Entry._fields, "v"}:
        raise MalformedEntryError("its fields are not those of an entry")
    if type(tree["v"]) is not int or tree.pop("v") != VERSION:
        raise MalformedEntryError("it has another version")
    entry = Entry(**tree)
    _check(entry)
    if encode(entry) != raw:  # blanks, order, escapes, doubled keys: one entry has one form
        raise MalformedEntryError("it is not in canonical form")
    return entry


def signed_bytes(raw: bytes) -> bytes:
    """What an account signs for the canonical bytes `raw`."""
    return DOMAIN + raw


def verifies(public_key: bytes, raw: bytes, signature: bytes) -> bool:
    """Whether this key signed these bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, signed_bytes(raw))
    except (InvalidSignature, ValueError):
        return False
    return True


def row_hash(prev: bytes, raw: bytes, signature: bytes) -> bytes:
    """The hash of an audit row."""
    return hashlib.sha256(prev + raw + signature).digest()


def key_id_of(public_key: bytes) -> bytes:
    """The name of a key: the first 8 bytes of SHA-256 over it."""
    return hashlib.sha256(public_key).digest()[:8]


def _canonical(tree: Any) -> bytes:
    return json.dumps(
        tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def _check(entry: Entry) -> None:
    problem = next((name for name, is_right in _rules(entry) if not is_right), None)
    if problem is not None:
        raise MalformedEntryError(f"{problem}: not as an entry has it")
    _check_value(entry.values, "values", 0)
    try:
        size = len(_canonical(entry._asdict()))
    except UnicodeEncodeError:  # a lone surrogate
        raise MalformedEntryError("values: text that is not UTF-8") from None
    if size > LARGEST_BYTES:
        raise MalformedEntryError("values: too many")


def _rules(entry: Entry) -> list[tuple[str, bool]]:
    return [
        ("kind", entry.kind in KINDS if isinstance(entry.kind, str) else False),
        ("id", _is(_HEX32, entry.id)),
        ("account", is_account_name(entry.account) or entry.account == ADMINISTRATOR),
        ("key", _is(_HEX16, entry.key)),
        ("binding", entry.binding is None or _is(_HEX16, entry.binding)),
        (
            "patient",
            entry.patient is None or (isinstance(entry.patient, str) and 0 < len(entry.patient) < 65),
        ),
        ("patient", (entry.patient is None) == (entry.binding is None)),
        ("observed_utc_ms", type(entry.observed_utc_ms) is int and 0 <= entry.observed_utc_ms < _LAST_MS),
        ("entered_utc_ms", type(entry.entered_utc_ms) is int and 0 <= entry.entered_utc_ms < _LAST_MS),
        ("values", isinstance(entry.values, dict)),
        ("refers_to", entry.refers_to is None or _is(_HEX32, entry.refers_to)),
        ("prev", _is(_HEX64, entry.prev)),
    ]


def _is(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and bool(pattern.match(value)) and not value.endswith("\n")


def _check_value(value: Any, where: str, depth: int) -> None:
    if depth > 3:
        raise MalformedEntryError(f"{where}: nested too deeply")
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise MalformedEntryError(f"{where}: a key that is not text")
            _check_value(inner, f"{where}.{key}", depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check_value(inner, where, depth + 1)
    elif value is not None and type(value) not in (int, bool, str):
        raise MalformedEntryError(f"{where}: only integers, text, true, false, null and lists of them")
