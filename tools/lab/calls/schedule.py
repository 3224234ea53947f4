"""One random schedule of everything that can go wrong while people are called, judged after every look.

Alarms begin, rise, fall and end; people accept; receivers are down, slow or refuse; the disk is full; the agent is
killed at any commit and started again; the laptop sleeps, starts anew, and somebody sets its clock.
"""

import random
from pathlib import Path
from typing import NamedTuple

from crs_core import codes
from crs_core.codes import PRIORITY_HIGH

from host_agent.config.model import parse_config
from host_agent.escalation.contact.plan import Plan, plan_of
from host_agent.store.contact_courses import unaccepted
from tools.lab.calls.expected import ExpectedAlarm
from tools.rig.called_bedside import CalledBedside, KilledError
from tools.rig.contact_plan import PLAN_TOML

ALARMS = (codes.FEVER, codes.HYPOXAEMIA, codes.SENSOR_FAULT)
EXACT_S = 1.0
_GRID_S = 150.0
_CONFIG = parse_config(PLAN_TOML)
_PLAN = plan_of(_CONFIG)


class Outcome(NamedTuple):
    """What one schedule showed: HIGH alarms that were accepted, that nobody accepted, and what was wrong."""

    accepted: int
    unreached: int
    kills: int
    wrong: list[str]


class Schedule:
    """`seed` decides everything."""

    def __init__(self, folder: Path, seed: int) -> None:
        assert _PLAN is not None
        self._random = random.Random(seed)
        self._plan: Plan = _PLAN
        self._bed = CalledBedside(folder, self._plan, [one.name for one in _CONFIG.receivers])
        self._bed.kill = self._kill
        self._expected = {alarm: ExpectedAlarm(self._plan) for alarm in ALARMS}
        self._receivers = {target.name: "delivered" for target in self._bed.targets}
        self._deadly = self._random.choice((0.0, 0.02, 0.2))
        self._kills = 0
        self._seen: set[tuple[int, str]] = set()
        self._wrong: list[str] = []
        self._is_ended = False

    async def run(self) -> Outcome:
        """Live it, and close the store."""
        end_s = self._random.uniform(1200, 7200)
        try:
            while self._bed.clock.true_s < end_s and not self._wrong:
                await self._happen()
                await self._pass(min(end_s - self._bed.clock.true_s, self._random.expovariate(1 / 240)))
            await self._pass(self._plan.accept_within_ms / 1000 + 2)
        finally:
            self._bed.stop()
        kinds = [kind for _, kind in self._seen]
        return Outcome(kinds.count("accepted"), kinds.count("unreached"), self._kills, self._wrong)

    def _kill(self) -> str:
        return self._random.choice(("before", "after")) if self._random.random() < self._deadly else ""

    async def _happen(self) -> None:
        chance = self._random
        what = chance.choices(
            ("alarm", "accept", "receiver", "clock", "kill", "computer", "sleep", "disk", "end"),
            (9, 4, 4, 2, 2, 1, 1, 1, 0.1),
        )[0]
        alarm = chance.choice(ALARMS)
        bed, one = self._bed, self._expected[alarm]
        if what == "alarm" and not self._is_ended:
            levels = [level for level in (0, 1, 2, 3) if level != one.priority]
            priority = chance.choices(levels, [1 + 2 * (level > 1) for level in levels])[0]
            bed.alarm(alarm, priority)
            one.journal(priority)
        elif what == "accept" and not self._is_ended:
            priority = chance.choice((1, 2, 3))
            bed.accept(alarm, priority)
            one.accept(priority)
        elif what == "receiver":
            name = chance.choice(list(self._receivers))
            self._receivers[name] = chance.choice(
                ("delivered", "delivered", "retry", "refused", "slow", "hangs")
            )
        elif what == "clock":
            bed.clock.wall_off_ms += chance.choice(
                (-86_400_000, -3_600_000, -30_000, 30_000, 3_600_000, 7_200_000)
            )
        elif what == "kill":
            bed.stop()
            self._later(chance.uniform(0, 900))
            if chance.random() < 0.3:
                bed.clock.wall_off_ms += chance.choice((-3_600_000, 3_600_000))
            bed.start()
            self._kills += 1
        elif what == "computer":
            await (
                self._look()
            )  # what was set shortly before is noted, or the next start cannot tell it from time off
            bed.start_computer_anew(chance.uniform(10, 300))
            self._expect_now()
        elif what == "sleep":
            self._later(chance.uniform(10, 1200))
        elif what == "disk":
            bed.is_disk_full = True
            await self._pass(chance.uniform(10, 1500))
            if chance.random() < 0.5:
                bed.stop()
                bed.start()
                await self._pass(chance.uniform(10, 900))
            bed.is_disk_full = False
        elif what == "end" and not self._is_ended:
            await self._do_write(bed.end_patient)
            self._is_ended = True
            for gone in self._expected.values():
                gone.journal(0)
        await self._look()

    async def _pass(self, seconds: float) -> None:
        """Time passes; the checks look when something must have changed, and now and then."""
        until_s = self._bed.clock.true_s + max(seconds, 0.1)
        while self._bed.clock.true_s < until_s and not self._wrong:
            changes = [at for one in self._expected.values() if (at := one.next_change_s()) is not None]
            moments = [at + 0.5 for at in changes if at + 0.5 > self._bed.clock.true_s]
            self._bed.clock.true_s = min([until_s, self._bed.clock.true_s + _GRID_S, *moments])
            self._expect_now()
            await self._look()

    def _later(self, seconds: float) -> None:
        self._bed.clock.true_s += seconds
        self._expect_now()

    def _expect_now(self) -> None:
        for alarm, one in self._expected.items():
            one.to(self._bed.clock.true_s)
            if one.level == PRIORITY_HIGH and (one.is_accepted or one.is_unreached):
                self._seen.add((alarm, "accepted" if one.is_accepted else "unreached"))

    async def _look(self) -> None:
        """The agent looks, wherever it is killed, its receivers do what they do, and what must be true is compared."""
        while True:
            try:
                await self._bed.look()
                if self._bed.is_disk_full:
                    break
                self._bed.settle(
                    {
                        name: "delivered" if how == "slow" else how
                        for name, how in self._receivers.items()
                        if how != "hangs" and (how != "slow" or self._random.random() < 0.3)
                    }
                )
                break
            except KilledError:
                self._start_again()
        self._judge()

    async def _do_write(self, work: object) -> None:
        while True:
            try:
                work()  # type: ignore[operator]
                return
            except KilledError:
                self._start_again()

    def _start_again(self) -> None:
        self._kills += 1
        self._bed.stop()
        self._bed.start()

    def _judge(self) -> None:
        if self._bed.is_disk_full:
            for alarm, one in self._expected.items():
                if one.is_unreached and one.is_settled(EXACT_S) and not self._bed.sounds():
                    self._wrong.append(
                        f"alarm {alarm} at {self._bed.clock.true_s:.1f} s: silent on a full disk"
                    )
            return
        found = {one.alarm: one.told for one in self._bed.store.read_now(unaccepted)}
        people = set(self._plan.reached_by(PRIORITY_HIGH))
        for alarm, one in self._expected.items():
            if not one.is_settled(EXACT_S) and one.is_unreached != (alarm in found):
                continue
            name = f"{codes.PRIORITY_NAMES[one.level]} alarm {alarm} at {self._bed.clock.true_s:.1f} s"
            if one.is_unreached != (alarm in found):
                said = "not shown as unreached" if one.is_unreached else "shown as unreached too early"
                self._wrong.append(f"{name}: {said}")
            elif one.is_unreached and set(found[alarm]) != people:
                self._wrong.append(f"{name}: {sorted(people - set(found[alarm]))} were never told")
            elif one.is_unreached and not self._bed.is_nobody_reached():
                self._wrong.append(f"{name}: NOBODY_REACHED does not sound")
