"""The audit chain: one row per signed entry, each bound to the one before by its hash and by what was signed.

chain_check.py finds a row that was changed, removed, inserted or moved.
"""

from host_agent.people.entry import NO_HASH, Entry, row_hash
from host_agent.store.audit import AuditRow, Head, add_row, last_row
from host_agent.store.db import Tx


def head(tx: Tx) -> Head:
    """Where the chain ends now; row 0 and NO_HASH before the first row."""
    return last_row(tx) or Head(0, NO_HASH)


def append(tx: Tx, entry: Entry, raw: bytes, signature: bytes, utc_ms: int) -> Head:
    """Add a row whose entry was examined; returns it as the new head."""
    before = head(tx)
    made = Head(before.seq + 1, row_hash(before.hash, raw, signature))
    add_row(tx, AuditRow(made.seq, entry.kind, entry.id, raw, signature, made.hash, utc_ms))
    return made
