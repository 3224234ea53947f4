"""The administrator code: made once, shown once, and kept by somebody who signs nothing about patients.

It stands behind accounts, as a clinician does who adds one. The code opens an Ed25519 key through scrypt; the chain
holds the public key and the salt, so that everybody can check what the code signed, and nobody can find it from there.
"""

import os
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from host_agent.errors import HostAgentError
from host_agent.keys.enrolment import new_code, plain_code
from host_agent.people import roles
from host_agent.people.account_key import SCRYPT, Signer
from host_agent.people.asking import Ask, Refusal
from host_agent.people.entry import ADMINISTRATOR, MalformedEntryError, decode, key_id_of
from host_agent.store.accounts import Account
from host_agent.store.audit import first_of_kind
from host_agent.store.db import Tx

KIND = "administrator"
_SALT_BYTES = 16


class WrongCode(HostAgentError):  # noqa: N818 named by the condition, as in errors.py
    """The code is not that of this installation, or no code was made here."""

    code = "administrator_code"


def make_code() -> tuple[str, dict[str, str]]:
    """(a fresh code, the values of the entry that makes it the one of this installation)."""
    code, salt = new_code(os.urandom), os.urandom(_SALT_BYTES)
    return code, {"salt": salt.hex(), "public_key": _signer(code, salt).public_key.hex()}


def signer_of(tx: Tx | None, code: str) -> Signer:
    """Who signs as the administrator of this installation; WrongCode says why nobody does."""
    values = None if tx is None else _values(tx)
    if values is None:
        raise WrongCode("No administrator code was made here.", "Make it: cytowatch account administrator")
    return signer_from(values, code)


def signer_from(values: dict[str, Any], code: str) -> Signer:
    """Who signs by this code, where it was made by these values; WrongCode for another code."""
    made = _signer(code, bytes.fromhex(values["salt"]))
    if made.public_key.hex() != values["public_key"]:
        raise WrongCode(
            "This is not the administrator code of this installation.", "Type it as it was shown."
        )
    return made


def administrator(tx: Tx) -> Account | None:
    """Whose signature counts as that of the administrator; None before a code was made."""
    values = _values(tx)
    return None if values is None else account_from(values, 0)


def account_from(values: dict[str, Any], audit: int) -> Account:
    """The administrator whom an entry without a fault makes; `audit` is the entry's row."""
    public_key = bytes.fromhex(values["public_key"])
    return Account(ADMINISTRATOR, roles.ADMINISTRATOR, key_id_of(public_key), public_key, audit, False)


def fault(values: dict[str, Any]) -> str:
    """What is wrong with the values of an administrator entry; "" when nothing is."""
    sizes = {"salt": 2 * _SALT_BYTES, "public_key": 64}
    for name, chars in sizes.items():
        value = values.get(name)
        if not isinstance(value, str) or len(value) != chars or set(value) - set("0123456789abcdef"):
            return f"{name}: not {chars // 2} bytes in hex"
    return "" if set(values) == set(sizes) else "an administrator has salt and public_key"


def check(tx: Tx, ask: Ask) -> Refusal | None:
    """Whether a code may be made: once in an installation."""
    if why := fault(ask.entry.values):
        return Refusal("bad_value", why)
    if first_of_kind(tx, KIND) is not None:
        return Refusal(
            "conflict", "The administrator code was made before. There is one, and it is not replaced."
        )
    return None


def _values(tx: Tx) -> dict[str, Any] | None:
    row = first_of_kind(tx, KIND)
    try:
        values = None if row is None else decode(row.entry).values
    except MalformedEntryError:
        return None  # somebody changed the row: `audit verify` names it
    return None if values is None or fault(values) else values


def _signer(code: str, salt: bytes) -> Signer:
    seed = Scrypt(salt=salt, length=32, **SCRYPT).derive(plain_code(code).encode())
    return Signer(ADMINISTRATOR, Ed25519PrivateKey.from_private_bytes(seed))
