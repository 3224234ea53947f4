"""Numbers about the whole store, for metrics: none of them names a person."""

from typing import NamedTuple

from host_agent.store.db import Tx


class Queue(NamedTuple):
    """Deliveries of one receiver in one state; `oldest_utc_ms` is when the oldest of them was made."""

    target: str
    state: str
    number: int
    oldest_utc_ms: int


def queues(tx: Tx) -> list[Queue]:
    """Every receiver and state that has deliveries."""
    rows = tx.execute(
        "SELECT target, state, count(*), min(created_utc_ms) FROM outbox GROUP BY target, state ORDER BY 1, 2"
    )
    return [Queue._make(row) for row in rows]


def events_made(tx: Tx) -> int:
    """How many different messages were ever made, whoever they were for."""
    return int(tx.execute("SELECT count(DISTINCT event_key) FROM outbox").fetchone()[0])


def records_missing(tx: Tx) -> dict[int, int]:
    """Reason of a gap → how many sequences wearables said they cannot give."""
    rows = tx.execute(
        "SELECT reason, sum(last_seq - first_seq + 1) FROM gaps GROUP BY reason ORDER BY reason"
    )
    return dict(rows.fetchall())
