"""The audit chain: one row per signed entry, each bound to the one before by its hash and by what was signed.

`head` and `append` are for the one writer. What a changed, removed, inserted or reordered row looks like, and who finds
it: chain_check.py.
"""

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from host_agent.people.entry import NO_HASH, Entry, row_hash


class Head(NamedTuple):
    """The last row; seq 0 and NO_HASH before the first."""

    seq: int
    hash: bytes


class Row(NamedTuple):
    """One row as stored."""

    seq: int
    kind: str
    entry_id: str
    entry: bytes
    signature: bytes
    hash: bytes
    stored_utc_ms: int


def head(tx: sqlite3.Connection) -> Head:
    """Where the chain ends now."""
    row = tx.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    return Head(*row) if row else Head(0, NO_HASH)


def append(
    tx: sqlite3.Connection, entry: Entry, raw: bytes, signature: bytes, utc_ms: int
) -> tuple[int, bytes]:
    """Add a row whose entry was examined; returns its number and hash."""
    before = head(tx)
    made = row_hash(before.hash, raw, signature)
    tx.execute(
        "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)",
        (before.seq + 1, entry.kind, entry.id, raw, signature, made, utc_ms),
    )
    return before.seq + 1, made


def rows(tx: sqlite3.Connection) -> Iterator[Row]:
    """Every row in order of its number."""
    for row in tx.execute(
        "SELECT seq, kind, entry_id, entry, signature, hash, stored_utc_ms FROM audit ORDER BY seq"
    ):
        seq, kind, entry_id, *blobs, stored_utc_ms = row
        # somebody who changed a row by hand may have left text where bytes were
        entry, signature, row_hash_ = (one.encode() if isinstance(one, str) else bytes(one) for one in blobs)
        yield Row(seq, kind, entry_id, entry, signature, row_hash_, stored_utc_ms)
