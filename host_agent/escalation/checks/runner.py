"""The one loop of all repeated checks. Each check runs apart: one that hangs or fails stops no other."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from host_agent.clock import Clock, sleep_or_event
from host_agent.errors import HalfRegistered
from host_agent.escalation.checks.check import Check

_LOG = logging.getLogger(__name__)
LATE_REAL_S = 15.0  # longer than a look that waits twice for another program's transaction
HANGING_REAL_S = 60.0  # no look lasts so long, and no pause between the looks of all checks
_STUCK_REAL_S = 30.0


class CheckRunner:
    """`clock` is the agent's: a simulation's checks run as fast as its wearables.

    Raises HalfRegistered for two checks of one name. A look longer than `late_real_s` real seconds is logged.
    `seconds` counts real seconds, and stands while the computer sleeps.
    """

    def __init__(
        self,
        checks: Sequence[Check],
        clock: Clock,
        late_real_s: float = LATE_REAL_S,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self.checks = {check.name: check for check in checks}
        if len(self.checks) < len(checks):
            names = [check.name for check in checks]
            twice = next(name for name in names if names.count(name) > 1)
            raise HalfRegistered(
                f"Two checks are called {twice}.",
                "Give each check in host_agent/escalation/checks its own name.",
            )
        self._clock = clock
        self._late_real_s = late_real_s
        self._asked = {name: asyncio.Event() for name in self.checks}
        self._seconds = seconds
        self._looking: dict[str, float] = {}  # since when
        self._ended_s = seconds()
        self._looked_s = dict.fromkeys(
            self.checks, clock.monotonic()
        )  # when each last ended a look without an error

    def stuck(self) -> list[str]:
        """Names of the checks that have not ended a look in time, or only with an error."""
        now_s, speed = self._clock.monotonic(), self._clock.speed
        return [
            name
            for name, check in self.checks.items()
            if now_s - self._looked_s[name] > check.every_s + (check.least_real_s + _STUCK_REAL_S) * speed
        ]

    def look_now(self) -> None:
        """Something changed: let all checks look without their pause. Call from the event loop's thread.

        A check still never looks more often than its `least_real_s` allows, however often it is asked.
        """
        for asked in self._asked.values():
            asked.set()

    def hanging(self) -> list[str]:
        """Names of the checks that hang in a look; all of them when no look has ended for so long."""
        now_s = self._seconds()
        if now_s - self._ended_s > HANGING_REAL_S:
            return sorted(self.checks)
        return sorted(name for name, since_s in self._looking.items() if now_s - since_s > HANGING_REAL_S)

    async def run(self) -> None:
        """Until cancelled. An error in one check is logged; the others go on, and it looks again later."""
        async with asyncio.TaskGroup() as group:
            for check in self.checks.values():
                group.create_task(self._repeat(check), name=f"check {check.name}")

    async def _repeat(self, check: Check) -> None:
        asked = self._asked[check.name]
        least_s = check.least_real_s * self._clock.speed
        while True:
            await self._clock.sleep(least_s)
            if check.every_s > least_s:
                await sleep_or_event(self._clock, check.every_s - least_s, asked)
            asked.clear()
            await self._look(check)

    async def _look(self, check: Check) -> None:
        late = asyncio.get_running_loop().call_later(
            self._late_real_s, _LOG.error,
            "the check %s has not ended after %g s; the other checks go on", check.name, self._late_real_s,
        )  # fmt: skip
        self._looking[check.name] = self._seconds()
        try:
            await check.look()
        except Exception:
            _LOG.exception("internal error in the check %s; it looks again", check.name)
        else:
            self._looked_s[check.name] = self._clock.monotonic()
        finally:
            self._ended_s = self._seconds()
            del self._looking[check.name]
            late.cancel()
