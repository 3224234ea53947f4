"""Events that no receiver took: which of them are still true, who refused them, and sending them again."""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from host_agent.store.db import Tx

# Whether nobody's acceptance covers the episode now. ?1: the real time.
_UNACCEPTED = "(e.state = 'open' OR e.state = 'accepted' AND e.acceptance_lapses_utc_ms <= ?1)"
# Whether the alarm of the event still stands and no person has accepted it. ?1: the real time. A grade rise and an
# event without an episode have no end of their own: they count as standing for an hour.
_STANDS = (
    "(CASE WHEN o.episode IS NULL AND o.device IS NULL THEN EXISTS (SELECT 1 FROM host_alarms h"  # noqa: S608
    " WHERE h.device IS NULL AND h.alarm = o.alarm AND h.ended_utc_ms IS NULL)"
    " WHEN o.episode IS NULL THEN o.created_utc_ms > ?1 - 3600000"
    " ELSE EXISTS (SELECT 1 FROM episodes e LEFT JOIN bindings b ON b.id = e.binding WHERE e.id = o.episode"
    f" AND {_UNACCEPTED} AND coalesce(b.state, '') <> 'ended' AND CASE e.kind WHEN 'grade'"
    " THEN o.created_utc_ms > ?1 - 3600000 ELSE e.priority > 0 END) END)"
)
# Whether some receiver that reaches a person (?4, NULL: every one) took the event, or a later one of its episode that
# is as urgent.
_REACHED = (
    "EXISTS (SELECT 1 FROM outbox d WHERE (d.state = 'delivered' OR d.id IN (SELECT value FROM json_each(?3)))"
    " AND (?4 IS NULL OR d.target IN (SELECT value FROM json_each(?4)))"
    " AND (d.event_key = o.event_key OR d.episode = o.episode AND d.id > o.id AND d.priority >= o.priority))"
)


class Undelivered(NamedTuple):
    """One event for one receiver that does not have it; `device` is a row id, None: about the agent."""

    id: int
    target: str
    device: int | None
    alarm: int
    priority: int
    state: str
    attempts: int
    refusals: int
    last_error: str
    created_utc_ms: int
    stands: bool
    name: str = ""  # of the event, where it says one


_COLUMNS = (
    "o.id, o.target, o.device, o.alarm, o.priority, o.state, o.attempts, o.refusals,"
    " o.last_error, o.created_utc_ms"
)  # fmt: skip
_NAME = "CASE WHEN json_valid(o.payload) THEN coalesce(json_extract(o.payload, '$.name'), '') ELSE '' END"
_SELECT = f"SELECT {_COLUMNS}, {_STANDS}, {_NAME} FROM outbox o WHERE o.state IN ('pending', 'refused')"  # noqa: S608


def undelivered(tx: Tx, now_ms: int) -> list[Undelivered]:
    """Every delivery that waits or was refused, oldest first."""
    return [_row(row) for row in tx.execute(_SELECT + " ORDER BY o.id", (now_ms,))]


def unreached(
    tx: Tx,
    now_ms: int,
    *,
    limits_ms: Mapping[int, int],
    since_ms: int,
    without_alarm: int,
    taken: Collection[int] = (),
    reaching: Collection[str] | None = None,
) -> list[Undelivered]:
    """Standing alarms that no receiver of `reaching` (None: of all) took: refused by one, or late for their priority.

    The age counts from `since_ms` at the earliest. An event of `without_alarm` is never one of them.
    `taken` are rows (ids) that a receiver took while the store could not note it. A created time
    ahead of `now_ms` is of a clock that was set back, and counts as too old.
    """
    found = tx.execute(
        f"{_SELECT} AND o.alarm <> ?2 AND {_STANDS} AND NOT {_REACHED} ORDER BY o.priority DESC, o.id",
        (
            now_ms,
            without_alarm,
            json.dumps(list(taken)),
            None if reaching is None else json.dumps(list(reaching)),
        ),
    )
    rows = [_row(row) for row in found]
    return [row for row in rows if row.refusals or _is_late(row, now_ms, limits_ms, since_ms)]


def _is_late(row: Undelivered, now_ms: int, limits_ms: Mapping[int, int], since_ms: int) -> bool:
    limit_ms = limits_ms.get(row.priority)
    if limit_ms is None:
        return False
    return not 0 <= now_ms - max(row.created_utc_ms, since_ms) < limit_ms


def open_priorities(
    tx: Tx, now_ms: int, *, least: int, without_alarm: int, grade_since_ms: int
) -> dict[int | None, int]:
    """Row id of a wearable -> highest priority of its alarms that stand and that nobody accepted, `least` and above.

    None: the agent itself.
    """
    rows = tx.execute(
        "SELECT e.device, max(e.priority) FROM episodes e LEFT JOIN bindings b ON b.id = e.binding"  # noqa: S608
        f" WHERE {_UNACCEPTED} AND e.priority >= ?2 AND e.alarm <> ?3 AND coalesce(b.state, '') <> 'ended'"
        " AND (e.kind <> 'grade' OR e.changed_utc_ms > ?4) GROUP BY e.device",
        (now_ms, least, without_alarm, grade_since_ms),
    )
    return dict(rows.fetchall())


class Unaddressed(NamedTuple):
    """An event that no receiver of the present configuration has; columns as in the outbox."""

    event_key: str
    episode: int | None
    priority: int
    simulated: bool
    payload: str
    device: int | None
    kind: str
    alarm: int


class Untold(NamedTuple):
    """An alarm that stands and of which no receiver ever had an event: none was configured then."""

    episode: int
    key: str
    device: int | None
    alarm: int
    priority: int
    opened_utc_ms: int


def unaddressed(
    tx: Tx, now_ms: int, targets: Collection[str], reaching: Collection[str]
) -> list[Unaddressed]:
    """Standing events that no receiver of `reaching` took, of receivers that are gone from the configuration."""
    rows = tx.execute(
        "SELECT o.target, o.event_key, o.episode, o.priority, o.simulated, o.payload, o.device, o.kind, o.alarm"  # noqa: S608
        f" FROM outbox o WHERE o.state IN ('pending', 'refused') AND {_STANDS} AND NOT {_REACHED} ORDER BY o.id",
        (now_ms, None, "[]", json.dumps(list(reaching))),
    )
    found = [row for row in rows if row[0] not in targets]
    return [Unaddressed._make((*row[1:4], bool(row[4]), *row[5:])) for row in found]


def untold(tx: Tx, now_ms: int, least: int) -> list[Untold]:
    """Alarms of `least` priority and above that stand, that nobody accepted, and that made no delivery."""
    rows = tx.execute(
        "SELECT e.id, e.key, e.device, e.alarm, e.priority, e.opened_utc_ms FROM episodes e"  # noqa: S608
        f" LEFT JOIN bindings b ON b.id = e.binding WHERE {_UNACCEPTED} AND e.kind <> 'grade' AND e.priority >= ?2"
        " AND coalesce(b.state, '') <> 'ended' AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.episode = e.id)",
        (now_ms, least),
    )
    return [Untold._make(row) for row in rows]


def retry_standing(tx: Tx, now_ms: int, before_ms: int) -> int:
    """Send again what was made before `before_ms`, was refused and still stands; returns how many.

    What was made after now was made before the clock was set back.
    """
    again = [
        row.id for row in undelivered(tx, now_ms)
        if row.state == "refused" and row.stands and not before_ms <= row.created_utc_ms <= now_ms
    ]  # fmt: skip
    return retry_deliveries(tx, now_ms, again)


def retry_deliveries(tx: Tx, now_ms: int, ids: Iterable[int]) -> int:
    """Send these again now, whether they wait or were refused; returns how many."""
    return sum(
        tx.execute(
            "UPDATE outbox SET state = 'pending', next_try_utc_ms = ? WHERE id = ? AND state IN ('pending', 'refused')",
            (now_ms, one),
        ).rowcount
        for one in ids
    )


def _row(row: tuple[object, ...]) -> Undelivered:
    *values, stands, name = row
    return Undelivered._make((*values, bool(stands), name))
