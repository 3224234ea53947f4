"""Events of journals (crs_core.records), decoded."""

from collections.abc import Iterator

from host_agent.store.db import Tx
from host_agent.store.records import decode_event
from host_agent.store.rows import StoredEvent


def events(tx: Tx, journal: int, kind: int | None = None) -> Iterator[StoredEvent]:
    """The events of one journal (row id), of one type or (None) of all, oldest first."""
    where, values = ("", (journal,)) if kind is None else (" AND type = ?", (journal, kind))
    for row in tx.execute(
        f"SELECT seq, boot, t_ms, type, payload, simulated FROM events WHERE journal = ?{where} ORDER BY seq",  # noqa: S608
        values,
    ):
        yield StoredEvent._make((*row, decode_event(row[3], row[4])))
