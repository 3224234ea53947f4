"""Events of journals (crs_core.journal), as they are stored and decoded."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from crs_core.errors import RemoteError
from crs_core.journal import record_bounds, record_reader

from host_agent.store.db import Tx
from host_agent.store.rows import StoredEvent


class EventRow(NamedTuple):
    """One event; `journal` is a row id, (`boot`, `t_ms`) the wearable's own time."""

    journal: int
    seq: int
    boot: int
    t_ms: int
    payload: bytes


def decode_event(kind: int, payload: bytes) -> tuple[Any, ...] | None:
    """The record of an event, None when its type is unknown or its payload cannot be true: it stays as bytes."""
    try:
        record: tuple[Any, ...] | None = record_reader.decode(kind, payload)
        record_bounds.check_record(kind, record)
    except RemoteError:
        return None
    return record


def events(tx: Tx, journal: int, kind: int | None = None) -> Iterator[StoredEvent]:
    """The events of one journal (row id), of one type or (None) of all, oldest first."""
    where, values = ("", (journal,)) if kind is None else (" AND type = ?", (journal, kind))
    for row in tx.execute(
        f"SELECT seq, boot, t_ms, type, payload, simulated FROM events WHERE journal = ?{where} ORDER BY seq",  # noqa: S608
        values,
    ):
        yield StoredEvent._make((*row, decode_event(row[3], row[4])))


def event_at(tx: Tx, journal: int, seq: int) -> StoredEvent | None:
    """One event of a journal (row id); None when it is not stored."""
    row = tx.execute(
        "SELECT seq, boot, t_ms, type, payload, simulated FROM events WHERE journal = ? AND seq = ?",
        (journal, seq),
    ).fetchone()
    return StoredEvent._make((*row, decode_event(row[3], row[4]))) if row else None


def last_event_of(tx: Tx, journal: int, kinds: Sequence[int], until: int) -> StoredEvent | None:
    """The last event of one of these types up to sequence `until` that this program understands."""
    marks = ", ".join("?" for _ in kinds)
    row = tx.execute(
        "SELECT seq, boot, t_ms, type, payload, simulated FROM events WHERE journal = ? AND seq <= ?"  # noqa: S608
        f" AND understood = 1 AND type IN ({marks}) ORDER BY seq DESC LIMIT 1",
        (journal, until, *kinds),
    ).fetchone()
    return StoredEvent._make((*row, decode_event(row[3], row[4]))) if row else None


def newest_event(tx: Tx, device: int, kind: int) -> EventRow | None:
    """The last event of this type in the wearable's current journal; none of a quarantined journal counts."""
    row = tx.execute(
        "SELECT e.journal, e.seq, e.boot, e.t_ms, e.payload FROM events e JOIN journals j ON j.id = e.journal"
        " WHERE j.device = ? AND j.is_current = 1 AND j.binding IS NOT NULL AND e.type = ?"
        " ORDER BY e.seq DESC LIMIT 1",
        (device, kind),
    ).fetchone()
    return EventRow(*row) if row else None


def has_event_after(tx: Tx, journal: int, kind: int, seq: int) -> bool:
    """Whether the journal holds an event of this type with a higher sequence."""
    found = tx.execute(
        "SELECT 1 FROM events WHERE journal = ? AND type = ? AND seq > ? LIMIT 1", (journal, kind, seq)
    ).fetchone()
    return found is not None


def events_between(tx: Tx, journal: int, after: int, until: int) -> list[tuple[int, int, int, bytes]]:
    """(seq, type, t_ms, payload) of events with after < seq <= until."""
    return tx.execute(
        "SELECT seq, type, t_ms, payload FROM events WHERE journal = ? AND seq > ? AND seq <= ?",
        (journal, after, until),
    ).fetchall()
