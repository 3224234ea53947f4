"""The people who may sign: a name, a role and a public key. Nothing is ever removed; who left is disabled."""

from collections.abc import Iterator
from typing import NamedTuple

from host_agent.store.db import Tx

_SELECT = "SELECT name, role, key_id, public_key, added_by, disabled_by IS NOT NULL FROM accounts"


class Account(NamedTuple):
    """`added_by` is the audit row that added it. A disabled account can no longer sign; its signatures stay valid."""

    name: str
    role: str
    key_id: bytes
    public_key: bytes
    added_by: int
    is_disabled: bool


def account(tx: Tx, name: str) -> Account | None:
    """The account of this name, disabled or not."""
    return next(_found(tx, "WHERE name = ?", name), None)


def accounts(tx: Tx) -> list[Account]:
    """All accounts in the order in which they were added."""
    return list(_found(tx, "ORDER BY added_by"))


def account_of_key(tx: Tx, key_id: bytes) -> Account | None:
    """The account whose key has this id."""
    return next(_found(tx, "WHERE key_id = ?", key_id), None)


def add_account(tx: Tx, made: Account) -> None:
    """Store a new account that is not disabled."""
    tx.execute(
        "INSERT INTO accounts VALUES (?, ?, ?, ?, ?, NULL)",
        (made.name, made.role, made.key_id, made.public_key, made.added_by),
    )


def disable_account(tx: Tx, name: str, audit: int) -> None:
    """Disable an account by the entry in this audit row."""
    tx.execute("UPDATE accounts SET disabled_by = ? WHERE name = ?", (audit, name))


def _found(tx: Tx, where: str, *values: object) -> Iterator[Account]:
    for *columns, is_disabled in tx.execute(f"{_SELECT} {where}", values):
        yield Account._make((*columns, bool(is_disabled)))
