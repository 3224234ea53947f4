"""Accounts: a name, a role and a public key. Added and disabled by signed entries; an account is never removed.

The first account signs itself in and must be a clinician's; from then on a clinician signs for every other.
"""

import sqlite3
from typing import Any, NamedTuple

from host_agent.people import roles
from host_agent.people.asking import Ask, Refusal
from host_agent.people.entry import Entry, is_account_name, key_id_of


class Account(NamedTuple):
    """One row. `is_disabled`: it signs no more; what it signed stands."""

    name: str
    role: str
    key_id: bytes
    public_key: bytes
    added_by: int
    is_disabled: bool


def account(tx: sqlite3.Connection, name: str) -> Account | None:
    """The account of this name, disabled ones too."""
    row = tx.execute(
        "SELECT name, role, key_id, public_key, added_by, disabled_by IS NOT NULL FROM accounts WHERE name = ?",
        (name,),
    ).fetchone()
    return Account._make((*row[:5], bool(row[5]))) if row else None


def accounts(tx: sqlite3.Connection) -> list[Account]:
    """All accounts in the order in which they were added."""
    rows = tx.execute(
        "SELECT name, role, key_id, public_key, added_by, disabled_by IS NOT NULL FROM accounts ORDER BY added_by"
    )
    return [Account._make((*row[:5], bool(row[5]))) for row in rows]


def first_account(entry: Entry) -> Account | Refusal:
    """The account that an entry over an empty chain signs in: its own, and a clinician's."""
    fault = add_fault(entry.values)
    if entry.kind != "account_add" or fault:
        return Refusal(
            "unknown_account", "No account exists: the first one must be added before anything is signed."
        )
    if entry.values["name"] != entry.account or entry.values["role"] != roles.CLINICIAN:
        return Refusal("not_allowed", "The first account must be a clinician's and signs for itself.")
    return _from_values(entry.values, 1)


def add_fault(values: dict[str, Any]) -> str:
    """What is wrong with the values of an account_add entry; "" when nothing is."""
    if set(values) != {"name", "role", "public_key"}:
        return "an account has name, role and public_key"
    if not is_account_name(values["name"]):
        return f"{values['name']!r} is no account name"
    if values["role"] not in roles.ROLES:
        return f"role: expected one of {', '.join(roles.ROLES)}, found {values['role']!r}"
    public_key = values["public_key"]
    if not isinstance(public_key, str) or len(public_key) != 64 or set(public_key) - set("0123456789abcdef"):
        return "public_key: not 32 bytes in hex"
    return ""


def check_add(tx: sqlite3.Connection, ask: Ask) -> Refusal | None:
    """Whether this account may be added."""
    values = ask.entry.values
    if fault := add_fault(values):
        return Refusal("bad_value", fault)
    if account(tx, values["name"]) is not None:
        return Refusal("conflict", f"An account {values['name']} exists; a name is never used twice.")
    key_id = key_id_of(bytes.fromhex(values["public_key"]))
    if tx.execute("SELECT 1 FROM accounts WHERE key_id = ?", (key_id,)).fetchone():
        return Refusal("conflict", "This key is another account's.")
    return None


def keep_add(tx: sqlite3.Connection, ask: Ask, audit: int) -> None:
    """Make the row."""
    made = _from_values(ask.entry.values, audit)
    tx.execute(
        "INSERT INTO accounts VALUES (?, ?, ?, ?, ?, NULL)",
        (made.name, made.role, made.key_id, made.public_key, audit),
    )


def check_disable(tx: sqlite3.Connection, ask: Ask) -> Refusal | None:
    """Whether this account may be disabled: the last clinician cannot, or nobody could sign anything any more."""
    name = ask.entry.values.get("name")
    if set(ask.entry.values) != {"name"} or not isinstance(name, str):
        return Refusal("bad_value", "name: the account to disable")
    known = account(tx, name)
    if known is None:
        return Refusal("unknown_account", f"There is no account {name}.")
    if known.is_disabled:
        return Refusal("conflict", f"Account {name} is disabled already.")
    clinicians = [other for other in accounts(tx) if other.role == roles.CLINICIAN and not other.is_disabled]
    if [other.name for other in clinicians] == [name]:
        return Refusal(
            "conflict", f"{name} is the last clinician: without one nobody could sign or add anybody."
        )
    return None


def keep_disable(tx: sqlite3.Connection, ask: Ask, audit: int) -> None:
    """Mark the row."""
    tx.execute("UPDATE accounts SET disabled_by = ? WHERE name = ?", (audit, ask.entry.values["name"]))


def _from_values(values: dict[str, Any], audit: int) -> Account:
    public_key = bytes.fromhex(values["public_key"])
    return Account(values["name"], values["role"], key_id_of(public_key), public_key, audit, False)
