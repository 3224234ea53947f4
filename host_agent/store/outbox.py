"""The outbox: one row for each event and receiver, made in the commit of the event's cause and never deleted.

A receiver's rows are a queue: the most urgent first, then the oldest; what became of each is written back.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from host_agent.store.db import Tx


class Addressed(NamedTuple):
    """One event for one receiver; `payload` is final. `withheld` says why it is never sent, "" that it is.

    `device` is the row id of its wearable (None: the agent), `kind` what it repeats when it comes again.
    """

    target: str
    event_key: str
    episode: int | None
    priority: int
    simulated: bool
    payload: str
    withheld: str = ""
    device: int | None = None
    kind: str = ""
    alarm: int = 0


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


class SentHead(NamedTuple):
    """A head of the audit chain (`hash` in hex) in the oldest event that carries it."""

    rows: int
    hash: str
    target: str
    event_key: str
    created_utc_ms: int


class Row(NamedTuple):
    """One pending delivery. `setbacks`: failures of its own, not those of its receiver.

    `is_new`: the receiver was never given it, so its text may still be made.
    """

    id: int
    event_key: str
    priority: int
    payload: str
    setbacks: int
    episode: int | None
    is_new: bool


class Due(NamedTuple):
    """`rows`: of each wearable (row id, None: the agent) what is due first; `next_utc_ms` when the next falls due.

    `newest_id` is the highest id of any row.
    """

    rows: dict[int | None, Row]
    next_utc_ms: int | None
    newest_id: int

    @property
    def priorities(self) -> dict[int | None, int]:
        """The priority of what is due first, by wearable."""
        return {device: row.priority for device, row in self.rows.items()}


_DUE = (
    "target = ?1 AND device IS ?2 AND state = 'pending' AND (next_try_utc_ms <= ?3 OR next_try_utc_ms > ?4)"
    " AND id NOT IN (SELECT value FROM json_each(?5))"
    " AND (episode IS NULL OR episode NOT IN (SELECT value FROM json_each(?6)))"
)
_MOST_URGENT = (
    f"SELECT id, event_key, priority, payload, setbacks, episode, handed_utc_ms IS NULL FROM outbox WHERE {_DUE}"  # noqa: S608
    " ORDER BY priority DESC, setbacks, id LIMIT 1"
)
_NEW = f"SELECT 1 FROM outbox WHERE {_DUE} AND id > ?7 LIMIT 1"  # noqa: S608


def add_delivery(tx: Tx, delivery: Addressed, now_ms: int) -> None:
    """One more delivery, due at once; an event that this receiver has a row of already stays as it is."""
    tx.execute(
        "INSERT OR IGNORE INTO outbox (target, event_key, episode, priority, simulated, payload, state,"
        " created_utc_ms, next_try_utc_ms, last_error, device, kind, alarm)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (delivery.target, delivery.event_key, delivery.episode, delivery.priority, int(delivery.simulated),
         delivery.payload, "withheld" if delivery.withheld else "pending", now_ms, now_ms, delivery.withheld,
         delivery.device, delivery.kind, delivery.alarm),
    )  # fmt: skip


def has_delivery(tx: Tx, target: str, event_key: str) -> bool:
    """Whether this receiver has a row of the event."""
    found = tx.execute("SELECT 1 FROM outbox WHERE target = ? AND event_key = ?", (target, event_key))
    return found.fetchone() is not None


class Told(NamedTuple):
    """The newest event of an episode that one receiver has, or that waits for it."""

    target: str
    event_key: str
    payload: str
    simulated: bool
    device: int | None
    alarm: int


def told_of(tx: Tx, episode: int) -> list[Told]:
    """For each receiver of an episode (row id) its newest event; messages that follow an event are none."""
    rows = tx.execute(
        "SELECT target, event_key, payload, simulated, device, alarm, max(id) FROM outbox WHERE episode = ?"
        " AND state IN ('pending', 'delivered') AND event_key = json_extract(payload, '$.key')"
        " GROUP BY target ORDER BY target",
        (episode,),
    )
    return [
        Told(target, key, payload, bool(simulated), *rest[:2])
        for target, key, payload, simulated, *rest in rows
    ]


def find_due(
    tx: Tx,
    target: str,
    now_ms: int,
    longest_wait_ms: int,
    *,
    above_id: int = 0,
    never_ids: Collection[int] = (),
    never_episodes: Collection[int] = (),
) -> Due:
    """The most urgent due row of each wearable; none at all when no due row has an id above `above_id`.

    Those of `never_ids` and of `never_episodes` are left out.

    A row planned further ahead than any wait can be was planned by a clock that has since been set back: it is due.
    """
    rows: dict[int | None, Row] = {}
    is_new = above_id == 0
    for device in _sharing(tx, target):
        about = (
            target, device, now_ms, now_ms + longest_wait_ms, json.dumps(list(never_ids)),
            json.dumps(list(never_episodes)),
        )  # fmt: skip
        if row := tx.execute(_MOST_URGENT, about).fetchone():
            rows[device] = Row._make((*row[:6], bool(row[6])))
            is_new = is_new or tx.execute(_NEW, (*about, above_id)).fetchone() is not None
    if not is_new:
        rows = {}
    next_utc_ms, newest = tx.execute(
        "SELECT (SELECT min(next_try_utc_ms) FROM outbox WHERE target = ?1 AND state = 'pending'),"
        " (SELECT max(id) FROM outbox)",
        (target,),
    ).fetchone()
    return Due(rows, next_utc_ms, newest or 0)


def _sharing(tx: Tx, target: str) -> Iterator[int | None]:
    """The wearables that this receiver has waiting events of; first None, for the agent itself."""
    device: int | None = None
    found: tuple[int | None] = (None,)
    while found is not None:
        yield device
        found = tx.execute(
            "SELECT device FROM outbox WHERE target = ? AND state = 'pending' AND device > ? ORDER BY device LIMIT 1",
            (target, device or 0),
        ).fetchone()
        device = found[0] if found else None


def hand(tx: Tx, row_id: int, payload: str, now_ms: int) -> None:
    """The receiver is given it now, with this text and no other from here on."""
    tx.execute("UPDATE outbox SET payload = ?, handed_utc_ms = ? WHERE id = ?", (payload, now_ms, row_id))


def mark_delivered(tx: Tx, row_id: int, now_ms: int) -> None:
    """The receiver took it."""
    tx.execute(
        "UPDATE outbox SET state = 'delivered', delivered_utc_ms = ?, attempts = attempts + 1, last_error = ''"
        " WHERE id = ? AND state = 'pending'",
        (now_ms, row_id),
    )


def mark_refused(tx: Tx, row_id: int, reason: str) -> None:
    """The receiver will never take it; the row stays and is shown, and `undelivered.py` says when it is sent again."""
    tx.execute(
        "UPDATE outbox SET state = 'refused', attempts = attempts + 1, refusals = refusals + 1, last_error = ?"
        " WHERE id = ? AND state = 'pending'",
        (reason, row_id),
    )


def mark_unreached(
    tx: Tx, row_id: int, now_ms: int, reason: str, own_ids: Collection[int], *, is_new: bool
) -> None:
    """The receiver takes nothing now: this row and all of its receiver have their place, but those of `own_ids`.

    `is_new`: it was not given to the receiver before, nor now, so its text is open again.
    """
    tx.execute(
        "UPDATE outbox SET attempts = attempts + 1, last_error = ?,"
        " handed_utc_ms = CASE ? WHEN 1 THEN NULL ELSE handed_utc_ms END"
        " WHERE id = ? AND state = 'pending'",
        (reason, int(is_new), row_id),
    )
    tx.execute(
        "UPDATE outbox SET setbacks = 0, next_try_utc_ms = min(next_try_utc_ms, ?2) WHERE setbacks > 0"
        " AND state = 'pending' AND target = (SELECT target FROM outbox WHERE id = ?1)"
        " AND id NOT IN (SELECT value FROM json_each(?3))",
        (row_id, now_ms, json.dumps(list(own_ids))),
    )


def mark_retry(tx: Tx, row_id: int, next_try_utc_ms: int, reason: str) -> None:
    """A failure of its own; due again then, behind those of its priority that failed less often."""
    tx.execute(
        "UPDATE outbox SET attempts = attempts + 1, setbacks = setbacks + 1, next_try_utc_ms = ?, last_error = ?"
        " WHERE id = ? AND state = 'pending'",
        (next_try_utc_ms, reason, row_id),
    )


def deliveries_of(tx: Tx, event_keys: Sequence[str]) -> list[Delivery]:
    """What became of these messages, each for each of its receivers, by their names."""
    return sorted(
        (one for key in event_keys for one in deliveries(tx, key)),
        key=lambda one: (one.target, one.event_key),
    )


def withdraw(tx: Tx, event_keys: Sequence[str], why: str) -> None:
    """Never send these to those who have not taken them; `why` stands there where they said nothing themselves."""
    for key in event_keys:
        tx.execute(
            "UPDATE outbox SET state = 'withheld',"
            " last_error = CASE last_error WHEN '' THEN ?2 ELSE last_error END"
            " WHERE event_key = ?1 AND state IN ('pending', 'refused')",
            (key, why),
        )


def counts(tx: Tx) -> dict[str, dict[str, int]]:
    """target → state → number of rows."""
    out: dict[str, dict[str, int]] = {}
    for target, state, number in tx.execute(
        "SELECT target, state, count(*) FROM outbox GROUP BY target, state"
    ):
        out.setdefault(target, {})[state] = number
    return out


def count_waiting(tx: Tx) -> int:
    """Deliveries that no receiver took yet."""
    return int(tx.execute("SELECT count(*) FROM outbox WHERE state = 'pending'").fetchone()[0])


class Waiting(NamedTuple):
    """An event that a receiver has not taken: it waits, or it was refused. `created_utc_ms` is when it was made."""

    target: str
    event_key: str
    created_utc_ms: int


def waiting(tx: Tx) -> list[Waiting]:
    """Every event that its receiver has not taken and that no other receiver took either, oldest first."""
    rows = tx.execute(
        "SELECT o.target, o.event_key, o.created_utc_ms FROM outbox o WHERE o.state IN ('pending', 'refused') AND"
        " NOT EXISTS (SELECT 1 FROM outbox d WHERE d.event_key = o.event_key AND d.state = 'delivered') ORDER BY o.id"
    )
    return [Waiting._make(row) for row in rows]


class Sent(NamedTuple):
    """One message for one receiver, as it was made; `state` says what became of it."""

    id: int
    target: str
    event_key: str
    priority: int
    payload: str
    state: str


def messages(tx: Tx) -> list[Sent]:
    """Every message for every receiver, oldest first: who was told what."""
    rows = tx.execute("SELECT id, target, event_key, priority, payload, state FROM outbox ORDER BY id")
    return [Sent._make(row) for row in rows]


def audit_heads(tx: Tx) -> list[SentHead]:
    """Every head of the audit chain that an event carries, the shortest chain first."""
    rows = tx.execute(
        "SELECT json_extract(payload, '$.audit_head.rows'), json_extract(payload, '$.audit_head.hash'), target,"
        " event_key, min(created_utc_ms) FROM outbox WHERE json_valid(payload)"
        " AND json_type(payload, '$.audit_head.rows') = 'integer' GROUP BY 1, 2 ORDER BY 1"
    )
    return [SentHead(number, str(head), target, key, utc_ms) for number, head, target, key, utc_ms in rows]


def deliveries(tx: Tx, event_key: str | None = None) -> Iterator[Delivery]:
    """Every delivery, or those of one message, oldest first."""
    for *columns, simulated in tx.execute(
        "SELECT target, event_key, priority, state, attempts, last_error, created_utc_ms, delivered_utc_ms, simulated"
        " FROM outbox WHERE ?1 IS NULL OR event_key = ?1 ORDER BY id",
        (event_key,),
    ):
        yield Delivery._make((*columns, bool(simulated)))


def delivery_errors(tx: Tx) -> dict[str, tuple[str, str]]:
    """Receiver → (state, error) of its oldest delivery that waits or was refused, as far as an error is known."""
    rows = tx.execute(
        "SELECT target, state, last_error FROM outbox WHERE state IN ('pending', 'refused') AND last_error <> ''"
        " ORDER BY id DESC"
    )
    return {target: (state, error) for target, state, error in rows}
