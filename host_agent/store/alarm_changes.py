"""Each change of an alarm that a wearable journaled, one row each. Priority 0: the alarm ended."""

from collections.abc import Iterator
from typing import NamedTuple

from host_agent.store.db import Tx


class AlarmChange(NamedTuple):
    """`alarm` and `priority` are numbers of crs_core.codes."""

    seq: int
    boot: int
    t_ms: int
    alarm: int
    priority: int
    simulated: int


def alarm_changes(tx: Tx, journal: int) -> Iterator[AlarmChange]:
    """Every change in one journal (row id), oldest first."""
    rows = tx.execute(
        "SELECT seq, boot, t_ms, alarm, priority, simulated FROM alarm_changes WHERE journal = ? ORDER BY seq",
        (journal,),
    )
    return map(AlarmChange._make, rows)


def standing_alarms(tx: Tx, journal: int) -> list[AlarmChange]:
    """The last change of each alarm that has not ended, the most urgent first."""
    rows = tx.execute(
        "SELECT seq, boot, t_ms, alarm, priority, simulated FROM"
        " (SELECT *, row_number() OVER (PARTITION BY alarm ORDER BY seq DESC) AS newest FROM alarm_changes"
        " WHERE journal = ?) WHERE newest = 1 AND priority > 0 ORDER BY priority DESC, alarm",
        (journal,),
    )
    return [AlarmChange._make(row) for row in rows]
