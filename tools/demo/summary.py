"""The last line of a demonstration, from the agent's store alone."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from crs_core import codes
from crs_core.units import TEMP_VALID, temp_state_of

FEVER_MET = 3


@dataclass(frozen=True)
class Summary:
    """What one binding's records say: counts, the highest computed interval, the alarms in order of first raise.

    The wearable's alarms come first, then those that the agent raised itself.
    """

    readings: int
    graded: str
    alarms: str

    def line(self, delivered: int) -> str:
        """The demo's last line."""
        return (
            f"demo: {self.readings} readings synced, {delivered} events delivered, "
            f"{self.graded}, alarms {self.alarms}"
        )


def summarise(database: Path) -> Summary:
    """Read the store of a demonstration with one bound patient."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as store:
        rows = store.execute(
            "SELECT status, temp_cc FROM readings JOIN journals ON id = journal WHERE binding IS NOT NULL"
        ).fetchall()
        grades = store.execute(
            "SELECT lower, upper FROM grades JOIN journals ON id = journal WHERE binding IS NOT NULL "
            "AND fever = ? AND lower IS NOT NULL ORDER BY lower DESC, upper DESC",
            (FEVER_MET,),
        ).fetchall()
        raised = store.execute(
            "SELECT alarm, priority FROM alarm_changes JOIN journals ON id = journal WHERE binding IS NOT NULL "
            "AND priority > 0 GROUP BY alarm, priority ORDER BY min(seq), alarm"
        ).fetchall()
        raised += store.execute(
            "SELECT alarm, priority FROM host_alarms GROUP BY alarm, priority ORDER BY min(id)"
        ).fetchall()
    measured = any(temp_cc is not None and temp_state_of(status) == TEMP_VALID for status, temp_cc in rows)
    if grades:
        graded = f"peak grade ASTCT-2019 {grades[0][0]}..{grades[0][1]} provisional"
    else:
        graded = "no fever criterion met" if measured else "not gradable"
    names = [f"{codes.alarm_name(alarm)}:{codes.PRIORITY_NAMES[priority]}" for alarm, priority in raised]
    return Summary(len(rows), graded, ",".join(names) or "none")
