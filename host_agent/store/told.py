"""Who was told what: every message for every receiver, with what became of it and who accepted its alarm."""

from collections.abc import Iterator
from typing import NamedTuple

from host_agent.store.db import Tx


class Told(NamedTuple):
    """One message for one receiver. `device` is a row id, None: about the agent itself.

    `by`, `how`, `at_utc_ms`, `audit`: the acceptance that was made with the code of this message, else the first one of
    its alarm after it; `is_own` says whether it was by this message. "" and None: nobody.
    """

    target: str
    event_key: str
    priority: int
    state: str
    attempts: int
    last_error: str
    created_utc_ms: int
    delivered_utc_ms: int | None
    payload: str
    device: int | None
    by: str
    how: str
    at_utc_ms: int | None
    audit: int | None
    is_own: bool
    simulated: bool


def told(tx: Tx) -> Iterator[Told]:
    """All of them, oldest first."""
    for *columns, is_own, simulated in tx.execute(
        "SELECT o.target, o.event_key, o.priority, o.state, o.attempts, o.last_error, o.created_utc_ms,"
        " o.delivered_utc_ms, o.payload, o.device, coalesce(a.who, ''), coalesce(a.how, ''), a.at_utc_ms, a.audit,"
        " t.used_by IS NOT NULL, o.simulated FROM outbox o"
        " LEFT JOIN reply_tokens t ON t.target = o.target AND t.event_key = o.event_key"
        " LEFT JOIN acceptances a ON a.id = coalesce(t.used_by, (SELECT min(x.id) FROM acceptances x"
        " WHERE x.episode = o.episode AND x.kind = 'accepted' AND x.at_utc_ms >= o.created_utc_ms)) ORDER BY o.id"
    ):
        yield Told._make((*columns, bool(is_own), bool(simulated)))
