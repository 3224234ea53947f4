"""A whole life: a bedside, harms one after the other until the goal is reached, the end, and the verdict.

`Life` says every ten seconds where it is; KeyboardInterrupt ends everything it started and is passed on, after which
`readings` and `counts` still say what was reached.
"""

import contextlib
import sys
import time
from collections import Counter
from pathlib import Path

from tools.conductor.conductor import Conductor
from tools.conductor.process_random import drawn_from
from tools.lab.soak.harmed_bedside import HarmedBedside
from tools.lab.soak.harms import HARMS
from tools.lab.soak.patient import write_scenario
from tools.lab.soak.schedule import Planned, planned
from tools.lab.soak.verdict import Verdict, judge
from tools.rig.laptop import LaptopError
from tools.rig.processes import loaded
from tools.rig.waiting import now_s, under, utc_s
from tools.rig.wearable import WearableError

_SAY_EVERY_S = 10.0
_COUNT_EVERY_S = 1.0


class Life:
    """One life in `folder`, until so many readings are stored or so many seconds have passed (None: no end).

    They are seconds of the axis, with `real_time` of this computer. `folder`/harms.txt says when each harm came.
    """

    def __init__(
        self, folder: Path, seed: int, readings: int | None, seconds: float | None, real_time: bool = False
    ) -> None:
        self.seed = seed
        self._folder, self._real_time = folder, real_time
        self.counts: Counter[str] = Counter(dict.fromkeys(HARMS, 0))
        self.readings = 0
        self.began = time.monotonic()
        self.findings: list[str] = []
        self._readings_goal, self._seconds_goal = readings, seconds
        self._said = self._counted = self._began_at_s = 0.0

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
        with contextlib.ExitStack() as stack:
            if not self._real_time:
                stack.enter_context(loaded())
                stack.enter_context(drawn_from(f"soak {self.seed}"))
                stack.enter_context(under(stack.enter_context(Conductor(self.seed))))
            return self._lived()

    def _lived(self) -> Verdict:
        schedule = planned(self.seed)
        scenario = write_scenario(self._folder / "patient.toml", self.seed)
        self.bedside = HarmedBedside(self._folder, scenario, self.seed % 2**31)
        self.bedside.findings = self.findings
        self.bedside.on_look = self._look
        with self.bedside as bedside:
            bedside.begin()
            self._began_at_s = now_s()
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
            utc = time.strftime("%H:%M:%S", time.gmtime(utc_s()))
            log.write(f"{utc} {self.bedside.laptop.cursor()} {harm.number} {harm.kind}\n")
        try:
            HARMS[harm.kind].do(self.bedside, harm.chance)
        except (LaptopError, WearableError) as error:
            self.findings.append(f"harm {harm.number}, {harm.kind}: {error}")

    def _reached(self) -> bool:
        if self._readings_goal is not None and self.readings >= self._readings_goal:
            return True
        return self._seconds_goal is not None and self._lived_s() >= self._seconds_goal

    def _lived_s(self) -> float:
        return now_s() - self._began_at_s

    def _look(self) -> None:
        if now_s() - self._counted >= _COUNT_EVERY_S:
            self._counted = now_s()
            self.readings = self.bedside.laptop.readings()
        now = time.monotonic()
        if now - self._said >= _SAY_EVERY_S:
            self._said = now
            self.say(self._left())

    def _left(self) -> str:
        left_s = []
        if self._seconds_goal is not None:
            lived_s = max(self._lived_s(), 1.0)
            left_s.append(self.elapsed_s * (self._seconds_goal / lived_s - 1))
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
