"""The alarms that stand as this laptop's sound needs them: what rings, and what people did about it."""

from collections.abc import Collection
from typing import NamedTuple

from crs_core.codes import NO_SOUND, RECORD_CONTRADICTS

from host_agent.store.acceptances import ACCEPTED, STANDS
from host_agent.store.db import Tx


class Ringing(NamedTuple):
    """One alarm that stands. `changed_utc_ms` is its last change; a grade rise (`is_grade`) changes by rising alone.

    `is_own`: about this laptop itself and no wearable.
    """

    key: str
    priority: int
    simulated: bool
    changed_utc_ms: int
    is_grade: bool = False
    is_own: bool = False


class Answer(NamedTuple):
    """What somebody did about the alarm of this key, who saw it at `priority`; it counts from `at` until `until`.

    `is_acceptance` False: a silence.
    """

    key: str
    is_acceptance: bool
    priority: int
    at_utc_ms: int
    until_utc_ms: int


def ringing(tx: Tx, now_ms: int, dead: Collection[int] = ()) -> list[Ringing]:
    """Every alarm that stands, of the wearables and of this laptop; that this laptop is mute cannot be heard on it.

    `dead` are bindings (row ids) with a signed death in force: of these only what contradicts the record is heard.
    """
    rows = tx.execute(
        "SELECT e.key, e.priority, e.simulated, e.changed_utc_ms, e.kind = 'grade', e.device IS NULL, e.binding,"  # noqa: S608
        f" e.alarm FROM episodes e WHERE {STANDS} AND NOT (e.kind = 'host' AND e.alarm = ?2)",
        (now_ms, NO_SOUND),
    )
    return [
        Ringing(key, priority, bool(simulated), changed_ms, bool(is_grade), bool(is_own))
        for key, priority, simulated, changed_ms, is_grade, is_own, binding, alarm in rows
        if binding not in dead or alarm == RECORD_CONTRADICTS
    ]


def answers(tx: Tx) -> list[Answer]:
    """What nobody and nothing has ended yet. An acceptance that came after another one ends with the first."""
    rows = tx.execute(
        "SELECT e.key, a.kind, a.priority, a.at_utc_ms, a.until_utc_ms FROM acceptances a"
        " JOIN episodes e ON e.id = a.episode WHERE a.ended_utc_ms IS NULL AND e.state <> 'closed'"
        " AND (a.kind <> 'accepted' OR e.state = 'accepted')"
    )
    return [Answer(key, kind == ACCEPTED, *rest) for key, kind, *rest in rows]
