"""Context entries: what people entered about a patient, and its values by key."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from host_agent.store.db import Tx

_SELECT = (
    "SELECT e.audit, e.entry_id, e.binding, b.binding_id, e.account, a.role, e.observed_utc_ms, e.entered_utc_ms,"
    " c.entry_id, e.simulated FROM context_entries e JOIN bindings b ON b.id = e.binding"
    " LEFT JOIN accounts a ON a.name = e.account LEFT JOIN context_entries c ON c.audit = e.corrects"
)


class ContextEntry(NamedTuple):
    """One entry without its values. `corrects` is the id of another entry; `role` that of the account."""

    audit: int
    entry_id: str
    binding: int
    binding_id: bytes
    account: str
    role: str
    observed_utc_ms: int
    entered_utc_ms: int
    corrects: str | None
    simulated: bool


def context_entries(tx: Tx, binding: int | None = None) -> list[ContextEntry]:
    """The entries about one binding (row id), or (None) all, in the order in which they were signed."""
    if binding is None:
        return list(_found(tx, "ORDER BY e.audit"))
    return list(_found(tx, "WHERE e.binding = ? ORDER BY e.audit", binding))


def context_entry(tx: Tx, entry_id: str) -> ContextEntry | None:
    """The entry of this id."""
    return next(_found(tx, "WHERE e.entry_id = ?", entry_id), None)


def context_values(tx: Tx, binding: int | None = None) -> dict[int, dict[str, str]]:
    """Audit row → key → value as JSON text, of one binding (row id) or (None) of all, values without an entry too."""
    where, values = ("", ()) if binding is None else (
        " WHERE entry IN (SELECT audit FROM context_entries WHERE binding = ?)", (binding,)
    )  # fmt: skip
    found: dict[int, dict[str, str]] = {}
    for audit, key, value in tx.execute(f"SELECT entry, key, value FROM context_values{where}", values):  # noqa: S608
        found.setdefault(audit, {})[key] = value
    return found


def add_context_entry(tx: Tx, entry: ContextEntry, values: Mapping[str, str]) -> None:
    """Store an entry and its values (key → JSON text)."""
    tx.execute(
        "INSERT INTO context_entries VALUES (?, ?, ?, ?, ?, ?,"
        " (SELECT audit FROM context_entries WHERE entry_id = ?), ?)",
        (entry.audit, entry.entry_id, entry.binding, entry.account, entry.observed_utc_ms, entry.entered_utc_ms,
         entry.corrects, entry.simulated),
    )  # fmt: skip
    tx.executemany(
        "INSERT INTO context_values VALUES (?, ?, ?)",
        [(entry.audit, key, value) for key, value in values.items()],
    )


def _found(tx: Tx, where: str, *values: object) -> Iterator[ContextEntry]:
    for *columns, simulated in tx.execute(f"{_SELECT} {where}", values):
        yield ContextEntry._make((*columns, bool(simulated)))
