"""The last line of a demonstration, from the agent's store alone."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from crs_core import code_texts, codes
from crs_core.codes import FEVER_MET
from crs_core.units import TEMP_VALID, temp_state_of

from host_agent.store.db import open_read_only
from host_agent.store.host_alarms import host_alarms
from tools.rig.stored import bound_alarm_changes, bound_grades, bound_readings


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
    with closing(open_read_only(database)) as tx:
        readings, grades = bound_readings(tx), bound_grades(tx)
        raised = [(change.alarm, change.priority) for change in bound_alarm_changes(tx) if change.priority]
        raised += [(alarm.alarm, alarm.priority) for alarm in host_alarms(tx)]
    febrile = [(one.lower, one.upper) for one in grades if one.fever == FEVER_MET and one.lower is not None]
    if febrile:
        lower, upper = max(febrile)
        graded = f"peak grade ASTCT-2019 {lower}..{upper} provisional"
    elif any(one.temp_cc is not None and temp_state_of(one.status) == TEMP_VALID for one in readings):
        graded = "no fever criterion met"
    else:
        graded = "not gradable"
    names = [
        f"{code_texts.alarm_name(alarm)}:{codes.PRIORITY_NAMES[priority]}"
        for alarm, priority in dict.fromkeys(raised)
    ]
    return Summary(len(readings), graded, ",".join(names) or "none")
