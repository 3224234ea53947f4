"""The audit chain as rows: numbered 1, 2, 3 without a hole. Triggers refuse to change or delete one."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from host_agent.store.db import Tx

_SELECT = "SELECT seq, kind, entry_id, entry, signature, hash, stored_utc_ms FROM audit"


class AuditRow(NamedTuple):
    """One signed entry as stored; `entry` are the canonical bytes that were signed."""

    seq: int
    kind: str
    entry_id: str
    entry: bytes
    signature: bytes
    hash: bytes
    stored_utc_ms: int


class Head(NamedTuple):
    """Number and hash of a row."""

    seq: int
    hash: bytes


def last_row(tx: Tx) -> Head | None:
    """Where the chain ends now; None before the first row."""
    row = tx.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    return Head(*row) if row else None


def has_entry(tx: Tx, entry_id: str) -> bool:
    """Whether an entry of this id is in the chain."""
    return tx.execute("SELECT 1 FROM audit WHERE entry_id = ?", (entry_id,)).fetchone() is not None


def rows_of_kinds(tx: Tx, kinds: Sequence[str]) -> list[AuditRow]:
    """The rows of these kinds in order of their number."""
    marks = ", ".join("?" * len(kinds))
    return list(_found(tx, f"WHERE kind IN ({marks})", *kinds))


def first_of_kind(tx: Tx, kind: str) -> AuditRow | None:
    """The first row of this kind."""
    return next(_found(tx, "WHERE kind = ?", kind), None)


def hashes_at(tx: Tx, seqs: Sequence[int]) -> dict[int, bytes]:
    """Number -> hash of these rows, as far as they are there, and of the last row."""
    wanted = [*seqs, getattr(last_row(tx), "seq", 0)]
    return {row.seq: row.hash for seq in wanted for row in _found(tx, "WHERE seq = ?", seq)}


def add_row(tx: Tx, row: AuditRow) -> None:
    """Add the next row; its number must be one above the last."""
    tx.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", row)


def audit_rows(tx: Tx) -> Iterator[AuditRow]:
    """Every row in order of its number."""
    return _found(tx, "")


def _found(tx: Tx, where: str, *values: object) -> Iterator[AuditRow]:
    for seq, kind, entry_id, *blobs, stored_utc_ms in tx.execute(f"{_SELECT} {where} ORDER BY seq", values):
        # somebody who changed a row by hand may have left text where bytes were
        entry, signature, hash_ = (one.encode() if isinstance(one, str) else bytes(one) for one in blobs)
        yield AuditRow(seq, kind, entry_id, entry, signature, hash_, stored_utc_ms)
