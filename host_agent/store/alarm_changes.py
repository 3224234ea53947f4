"""Each change of an alarm that a wearable journaled, one row each. Priority 0: the alarm ended.

An older version kept priorities that there are none; they are read as the highest, because they may be anything.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from host_agent.store.db import Tx
from host_agent.store.rows import StoredEvent


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
        "SELECT seq, boot, t_ms, alarm, min(priority, 3), simulated FROM alarm_changes WHERE journal = ? ORDER BY seq",
        (journal,),
    )
    return map(AlarmChange._make, rows)


def standing_alarms(tx: Tx, journal: int) -> list[AlarmChange]:
    """The last change of each alarm that has not ended, the most urgent first."""
    rows = tx.execute(
        "SELECT seq, boot, t_ms, alarm, min(priority, 3), simulated FROM"
        " (SELECT *, row_number() OVER (PARTITION BY alarm ORDER BY seq DESC) AS newest FROM alarm_changes"
        " WHERE journal = ?) WHERE newest = 1 AND priority > 0 ORDER BY priority DESC, alarm",
        (journal,),
    )
    return [AlarmChange._make(row) for row in rows]


def changes_of(tx: Tx, journal: int, alarm: int) -> list[tuple[int, int]]:
    """(seq, priority) of each change of one alarm in a journal, in order of sequence."""
    return tx.execute(
        "SELECT seq, min(priority, 3) FROM alarm_changes WHERE journal = ? AND alarm = ? ORDER BY seq",
        (journal, alarm),
    ).fetchall()


def priorities_before(tx: Tx, journal: int, seq: int) -> dict[int, int]:
    """Alarm → priority after the last change below `seq`, for every alarm that changed at all."""
    rows = tx.execute(
        "SELECT alarm, min(priority, 3), max(seq) FROM alarm_changes WHERE journal = ? AND seq < ? GROUP BY alarm",
        (journal, seq),
    )
    return {alarm: priority for alarm, priority, _ in rows}


def is_raised_after(tx: Tx, journal: int, seq: int) -> bool:
    """Whether an alarm of this journal was raised, or rose, above sequence `seq`."""
    found = tx.execute(
        "SELECT 1 FROM alarm_changes WHERE journal = ? AND seq > ? AND priority > 0 LIMIT 1", (journal, seq)
    ).fetchone()
    return found is not None


def current_changes(tx: Tx, device: int) -> list[AlarmChange]:
    """All changes in the wearable's current journal, by alarm, then by sequence."""
    rows = tx.execute(
        "SELECT c.seq, c.boot, c.t_ms, c.alarm, min(c.priority, 3), c.simulated FROM alarm_changes c"
        " JOIN journals j ON j.id = c.journal WHERE j.device = ? AND j.is_current = 1 ORDER BY c.alarm, c.seq",
        (device,),
    )
    return [AlarmChange(*row) for row in rows]


def note_active(tx: Tx, journal: int, event: StoredEvent, active: Iterable[tuple[int, int, bool]]) -> None:
    """Keep alarms that a record names as active and no ALARM record accounts for: (alarm, priority, simulated)."""
    tx.executemany(
        "INSERT OR IGNORE INTO alarm_changes VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (journal, event.seq, alarm, priority, event.boot, event.t_ms, int(simulated))
            for alarm, priority, simulated in active
        ],
    )
