"""The outbox: one row for each event and receiver, made in the commit of the event's cause and never deleted."""

from collections.abc import Iterator
from typing import NamedTuple

from host_agent.store.db import Tx


class Delivery(NamedTuple):
    """One event for one receiver and what became of it; `state` is pending, delivered, refused or withheld."""

    target: str
    event_key: str
    priority: int
    state: str
    attempts: int
    last_error: str
    created_utc_ms: int
    delivered_utc_ms: int | None
    simulated: bool


def deliveries(tx: Tx) -> Iterator[Delivery]:
    """Every delivery, oldest first."""
    for *columns, simulated in tx.execute(
        "SELECT target, event_key, priority, state, attempts, last_error, created_utc_ms, delivered_utc_ms, simulated"
        " FROM outbox ORDER BY id"
    ):
        yield Delivery._make((*columns, bool(simulated)))


def delivery_errors(tx: Tx) -> dict[str, tuple[str, str]]:
    """Receiver → (state, error) of its oldest delivery that waits or was refused, as far as an error is known."""
    rows = tx.execute(
        "SELECT target, state, last_error FROM outbox WHERE state IN ('pending', 'refused') AND last_error <> ''"
        " ORDER BY id DESC"
    )
    return {target: (state, error) for target, state, error in rows}
