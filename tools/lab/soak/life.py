"""A whole life: a bedside, harms one after the other until the goal is reached, the end, and the verdict.

`Life` says every ten seconds where it is; KeyboardInterrupt ends everything it started and is passed on, after which
`readings` and `counts` still say what was reached.
"""

import sys
import time
from collections import Counter
from pathlib import Path

from tools.lab.soak.harmed_bedside import HarmedBedside
from tools.lab.soak.harms import HARMS
from tools.lab.soak.patient import write_scenario
from tools.lab.soak.schedule import Planned, planned
from tools.lab.soak.verdict import Verdict, judge
from tools.rig.laptop import LaptopError
from tools.rig.wearable import WearableError

_SAY_EVERY_S = 10.0
_COUNT_EVERY_S = 1.0


class Life:
    """One life in `folder`, until so many readings are stored or so many real seconds have passed (None: no end).

    `folder`/harms.txt says at which time and which record each harm came.
    """

    def __init__(self, folder: Path, seed: int, readings: int | None, seconds: float | None) -> None:
        self.seed = seed
        self.counts: Counter[str] = Counter(dict.fromkeys(HARMS, 0))
        self.readings = 0
        self.began = time.monotonic()
        self._readings_goal, self._seconds_goal = readings, seconds
        self._said = self._counted = 0.0
        scenario = write_scenario(folder / "patient.toml", seed)
        self.bedside = HarmedBedside(folder, scenario, seed % 2**31)
        self.bedside.on_look = self._look

    @property
    def elapsed_s(self) -> float:
        """Real seconds since the start."""
        return time.monotonic() - self.began

    @property
    def harms(self) -> int:
        """How many were done."""
        return self.counts.total()

    def run(self) -> Verdict:
        """Live until the goal, sync the rest, and compare."""
        schedule = planned(self.seed)
        with self.bedside as bedside:
            bedside.begin()
            self.began = time.monotonic()
            while not self._reached():
                harm = next(schedule)
                bedside.live(harm.pause_s)
                if self._reached():
                    break
                self._do(harm)
            self.say("the last sync")
            bedside.end()
            self.readings = bedside.laptop.readings()
        self.say("comparing")
        return judge(bedside.archive, bedside.laptop.database)

    def _do(self, harm: Planned) -> None:
        """Do one harm. A process that does not answer is a finding; `live` starts it again."""
        self.counts[harm.kind] += 1
        with (self.bedside.folder / "harms.txt").open("a") as log:
            utc = time.strftime("%H:%M:%S", time.gmtime())
            log.write(f"{utc} {self.bedside.laptop.cursor()} {harm.number} {harm.kind}\n")
        try:
            HARMS[harm.kind].do(self.bedside, harm.chance)
        except (LaptopError, WearableError) as error:
            self.bedside.findings.append(f"harm {harm.number}, {harm.kind}: {error}")

    def _reached(self) -> bool:
        if self._readings_goal is not None and self.readings >= self._readings_goal:
            return True
        return self._seconds_goal is not None and self.elapsed_s >= self._seconds_goal

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._counted >= _COUNT_EVERY_S:
            self._counted = now
            self.readings = self.bedside.laptop.readings()
        if now - self._said >= _SAY_EVERY_S:
            self._said = now
            self.say(self._left())

    def _left(self) -> str:
        left_s = []
        if self._seconds_goal is not None:
            left_s.append(self._seconds_goal - self.elapsed_s)
        if self._readings_goal is not None and self.readings:
            left_s.append(self.elapsed_s * (self._readings_goal / self.readings - 1))
        return f"about {max(0, min(left_s)):.0f} s left" if left_s else "begins"

    def say(self, what: str) -> None:
        """One line of progress."""
        kinds = ", ".join(f"{kind} {count}" for kind, count in self.counts.items() if count)
        print(
            f"soak: {self.elapsed_s:.0f} s, {self.readings} readings, {self.harms} harms"
            f"{f' ({kinds})' if kinds else ''}; {what}",
            file=sys.stderr, flush=True,
        )  # fmt: skip
