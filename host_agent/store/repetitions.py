"""Events that came so often from one wearable that a receiver is told of them together: counted until then."""

from typing import NamedTuple

from host_agent.store.db import Tx

TOGETHER_AFTER_MS = 10_000  # how long repetitions are counted before they are told together
AGAIN_AFTER_MS = 60_000  # the same, when their kind was told together before


class Share(NamedTuple):
    """What one receiver has of one wearable: events of a kind and of all kinds since a moment, and those waiting."""

    same: int
    everything: int
    waiting: int


class Repetitions(NamedTuple):
    """`number` events of one kind from `first_utc_ms` to `last_utc_ms`; `device` a row id, None: the agent."""

    target: str
    device: int | None
    kind: str
    priority: int
    simulated: bool
    alarm: int
    number: int
    first_utc_ms: int
    last_utc_ms: int


def share_of(
    tx: Tx, target: str, device: int | None, kind: str, priority: int, *, since_ms: int, now_ms: int
) -> Share:
    """What the receiver already has of this wearable; `same` counts this priority and above."""
    same, everything = tx.execute(
        "SELECT coalesce(sum(kind = ? AND priority >= ?), 0), count(*) FROM outbox"
        " WHERE target = ? AND device IS ? AND created_utc_ms > ? AND created_utc_ms <= ?",
        (kind, priority, target, device, since_ms, now_ms),
    ).fetchone()
    same_waiting, waiting = tx.execute(
        "SELECT coalesce(sum(kind = ? AND priority >= ?), 0), count(*) FROM outbox"
        " WHERE target = ? AND device IS ? AND state = 'pending'",
        (kind, priority, target, device),
    ).fetchone()
    return Share(max(same, same_waiting), everything, waiting)


def add_repetition(tx: Tx, one: Repetitions) -> None:
    """Count it with those of its kind that were not told yet."""
    tx.execute(
        "INSERT INTO repetitions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (target, device, kind, priority, simulated) DO UPDATE SET"
        " number = number + excluded.number, last_utc_ms = excluded.last_utc_ms, alarm = excluded.alarm",
        (one.target, one.device or 0, *one[2:4], int(one.simulated), *one[5:]),
    )


def take_repetitions(tx: Tx, now_ms: int, window_ms: int) -> list[Repetitions]:
    """Remove and return what was counted long enough to be told: 10 s, or a minute when its kind was told before.

    What was told last must have been delivered first, so that they never queue up.
    """
    rows = tx.execute(
        "SELECT * FROM repetitions r WHERE (first_utc_ms > ?1 OR first_utc_ms <= ?1 - CASE WHEN EXISTS"
        " (SELECT 1 FROM outbox WHERE target = r.target AND device IS nullif(r.device, 0)"
        " AND created_utc_ms > ?1 - ?2 AND kind = 'again-' || r.kind) THEN ?3 ELSE ?4 END)"
        " AND NOT EXISTS (SELECT 1 FROM outbox WHERE target = r.target AND device IS nullif(r.device, 0)"
        " AND state = 'pending' AND kind = 'again-' || r.kind)",
        (now_ms, window_ms, AGAIN_AFTER_MS, TOGETHER_AFTER_MS),
    ).fetchall()
    tx.executemany(
        "DELETE FROM repetitions WHERE target = ? AND device = ? AND kind = ? AND priority = ? AND simulated = ?",
        [row[:5] for row in rows],
    )
    return [Repetitions(row[0], row[1] or None, row[2], row[3], bool(row[4]), *row[5:]) for row in rows]


def has_repetitions(tx: Tx) -> bool:
    """Whether anything is counted and not told yet."""
    return tx.execute("SELECT 1 FROM repetitions LIMIT 1").fetchone() is not None
