"""A recording written row by row, and the mission that it was played in.

mission = fly(tmp_path, write(tmp_path / "recording.csv", rows), speed=60)
mission.line, mission.alarms(), mission.read(bound_readings)
"""

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from host_agent.store.alarm_changes import AlarmChange
from host_agent.store.db import Tx, open_read_only
from tools.demo.mission import Outcome, run
from tools.rig.image import CUSTODIAN, build_image
from tools.rig.laptop import Laptop
from tools.rig.stored import bound_alarm_changes, bound_grades
from tools.rig.wearable import Wearable

OFF = (None, None, None, None)
Row = tuple[float, float | None, float | None, float | None, float | None]
T = TypeVar("T")


class Mission:
    """What is left of a mission: the outcome, and the store and the flash that it came from."""

    def __init__(self, folder: Path, outcome: Outcome) -> None:
        self.outcome, self.line, self.events = outcome, outcome.line, outcome.events
        self.database = folder / "bedside" / "cytowatch.db"
        self.image = folder / "flash.img"

    def read(self, what: Callable[[Tx], T]) -> T:
        """What a function of host_agent.store reads."""
        with contextlib.closing(open_read_only(self.database)) as tx:
            return what(tx)

    def alarms(self) -> list[AlarmChange]:
        """Changes of the wearable's alarms while bound, in order."""
        return self.read(bound_alarm_changes)

    def raised(self, alarm: int, priority: int) -> list[float]:
        """When an alarm was raised at that priority, in seconds since boot."""
        return [one.t_ms / 1000 for one in self.alarms() if (one.alarm, one.priority) == (alarm, priority)]

    def lowers(self) -> set[int | None]:
        """Every lower bound that was computed while bound."""
        return {grade.lower for grade in self.read(bound_grades)}

    def kinds(self) -> list[str]:
        """Kinds of the events that the webhook's receiver took: alarm, grade_rise."""
        return [event["kind"] for event in self.events]


def write(path: Path, rows: Iterable[Row]) -> Path:
    """A recording of rows (t_s, temp_c, spo2_pct, hr_bpm, pi_pct); None is a blank."""
    lines = ["t_s,temp_c,spo2_pct,hr_bpm,pi_pct"]
    lines += [",".join("" if value is None else f"{value:g}" for value in row) for row in rows]
    path.write_text("\n".join(lines) + "\n")
    return path


def fly(folder: Path, recording: Path, speed: int) -> Mission:
    """Play a recording on a wearable that needs no flashing and whose key the agent has."""
    build_image(folder / "flash.img", binding_id=None)

    def enrol(_wearable: Wearable, laptop: Laptop) -> None:
        laptop.enrol(CUSTODIAN)

    return Mission(folder, run(folder, {"recording": recording}, speed, prepare=enrol))
