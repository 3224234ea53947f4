"""What a clinician signed about a patient: grades, deaths and ends of an episode."""

from collections.abc import Iterator
from typing import NamedTuple

from host_agent.store.db import Tx

_SELECT = (
    "SELECT s.audit, s.entry_id, s.binding, b.binding_id, s.kind, s.account, a.role, s.observed_utc_ms,"
    " s.entered_utc_ms, s.scale, s.scale_version, s.grade, s.cause, s.countersigned_by, s.reversed_by, c.entry,"
    " r.entry, s.simulated FROM signed_records s JOIN bindings b ON b.id = s.binding"
    " LEFT JOIN accounts a ON a.name = s.account"
    " LEFT JOIN audit c ON c.seq = s.countersigned_by LEFT JOIN audit r ON r.seq = s.reversed_by"
)


class SignedRecord(NamedTuple):
    """`countersigned_by` and `reversed_by` are audit rows, `countersignature` and `reversal` their signed bytes."""

    audit: int
    entry_id: str
    binding: int
    binding_id: bytes
    kind: str
    account: str
    role: str
    observed_utc_ms: int
    entered_utc_ms: int
    scale: str | None
    scale_version: int | None
    grade: int | None
    cause: str | None
    countersigned_by: int | None
    reversed_by: int | None
    countersignature: bytes | None
    reversal: bytes | None
    simulated: bool


def signed_records(tx: Tx, binding: int | None = None) -> list[SignedRecord]:
    """The records about one binding (row id), or (None) all, oldest signature first."""
    if binding is None:
        return list(_found(tx, "ORDER BY s.audit"))
    return list(_found(tx, "WHERE s.binding = ? ORDER BY s.audit", binding))


def signed_record(tx: Tx, entry_id: str) -> SignedRecord | None:
    """The record that the entry of this id made."""
    return next(_found(tx, "WHERE s.entry_id = ?", entry_id), None)


def add_signed_record(tx: Tx, record: SignedRecord) -> None:
    """Store a record that nobody countersigned or reversed yet."""
    tx.execute(
        "INSERT INTO signed_records (audit, entry_id, binding, kind, account, observed_utc_ms, entered_utc_ms,"
        " scale, scale_version, grade, cause, simulated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (record.audit, record.entry_id, record.binding, record.kind, record.account, record.observed_utc_ms,
         record.entered_utc_ms, record.scale, record.scale_version, record.grade, record.cause, record.simulated),
    )  # fmt: skip


def countersign(tx: Tx, record: int, audit: int) -> None:
    """Note that the entry in audit row `audit` countersigned this record."""
    tx.execute("UPDATE signed_records SET countersigned_by = ? WHERE audit = ?", (audit, record))


def reverse(tx: Tx, record: int, audit: int) -> None:
    """Note that the entry in audit row `audit` reversed this record."""
    tx.execute("UPDATE signed_records SET reversed_by = ? WHERE audit = ?", (audit, record))


def _found(tx: Tx, where: str, *values: object) -> Iterator[SignedRecord]:
    for *columns, simulated in tx.execute(f"{_SELECT} {where}", values):
        blobs = [one.encode() if isinstance(one, str) else one for one in columns[-2:]]
        yield SignedRecord._make((*columns[:-2], *blobs, bool(simulated)))
