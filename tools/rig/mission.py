"""A whole mission for a test: a recording written row by row, a flashed image without the flashing, the real agent.

mission = fly(tmp_path, rows, speed=60)
mission.line, mission.alarms, mission.events
"""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from crs_core import codes

from host_agent.keys import keyfile
from host_agent.paths import Paths
from tools.demo.mission import Outcome, run
from tools.rig.bedside import Bedside
from tools.rig.image import CUSTODIAN, DEVICE_ID, build_image
from tools.rig.wearable import VirtualWearable

Row = tuple[float, float | None, float | None, float | None, float | None]
OFF = (None, None, None, None)


class Change(NamedTuple):
    """One entry of the store's alarm history."""

    t_s: float
    name: str
    priority: int


class Mission:
    """What is left of a mission: the outcome and the store it came from."""

    def __init__(self, outcome: Outcome, database: Path) -> None:
        self.outcome = outcome
        self.database = database
        self.line = outcome.line
        self.events = outcome.events

    def ask(self, question: str) -> list[Any]:
        """Rows of a question to the store, over the bound journal and what belongs to none."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as store:
            return store.execute(question).fetchall()

    @property
    def alarms(self) -> list[Change]:
        """Changes of the wearable's alarms while bound, in order; priority 0 is an end."""
        rows = self.ask(
            "SELECT t_ms, alarm, priority FROM alarm_changes JOIN journals ON id = journal"
            " WHERE binding IS NOT NULL ORDER BY seq"
        )
        return [Change(t_ms / 1000, codes.alarm_name(alarm), priority) for t_ms, alarm, priority in rows]

    def raised(self, name: str, priority: int) -> list[float]:
        """When an alarm was raised at that priority, in seconds since boot."""
        return [change.t_s for change in self.alarms if (change.name, change.priority) == (name, priority)]

    def lowers(self) -> set[int | None]:
        """Every lower bound that was computed while bound."""
        return {
            row[0]
            for row in self.ask(
                "SELECT lower FROM grades JOIN journals ON id = journal WHERE binding IS NOT NULL"
            )
        }

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
    """Play a recording on a wearable that holds compiled firmware, settings and keys, and whose key the agent has."""
    build_image(folder / "flash.img", binding_id=None)
    outcome = run(folder, ["--recording", str(recording)], speed, prepare=_know_each_other)
    return Mission(outcome, folder / "bedside" / "cytowatch.db")


def _know_each_other(wearable: VirtualWearable, bedside: Bedside) -> None:
    key = keyfile.DeviceKey(DEVICE_ID, CUSTODIAN.key_id, CUSTODIAN.key, CUSTODIAN.role, CUSTODIAN.name)
    keyfile.save(Paths(bedside.home).ensure().keys, key)
