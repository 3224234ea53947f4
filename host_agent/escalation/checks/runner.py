"""The one loop of all repeated checks: each looks when its pause is over, one after the other."""

import asyncio
import logging
from collections.abc import Sequence

from host_agent.clock import Clock, sleep_or_event
from host_agent.escalation.checks.check import Check

_LOG = logging.getLogger(__name__)


class CheckRunner:
    """`clock` is the agent's: a simulation's checks run as fast as its wearables."""

    def __init__(self, checks: Sequence[Check], clock: Clock) -> None:
        self.checks = {check.name: check for check in checks}
        self._clock = clock
        self._asked = asyncio.Event()

    def look_now(self) -> None:
        """Something changed: let all checks look without their pause. Call from the event loop's thread."""
        self._asked.set()

    async def run(self) -> None:
        """Until cancelled. An error in one check is logged; the others go on, and it looks again later."""
        due_s = {name: self._next_s(check) for name, check in self.checks.items()}
        while True:
            pause_s = min(due_s.values()) - self._clock.monotonic()
            if pause_s > 0:
                await sleep_or_event(self._clock, pause_s, self._asked)
            is_asked = self._asked.is_set()
            self._asked.clear()
            for name, check in self.checks.items():
                if is_asked or due_s[name] <= self._clock.monotonic():
                    await self._look(check)
                    due_s[name] = self._next_s(check)

    def _next_s(self, check: Check) -> float:
        return self._clock.monotonic() + max(check.every_s, check.least_real_s * self._clock.speed)

    async def _look(self, check: Check) -> None:
        try:
            await check.look()
        except Exception:
            _LOG.exception("internal error in the check %s; it looks again", check.name)
