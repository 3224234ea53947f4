"""Holds the laptop awake while a patient is bound. It raises no alarm: that it cannot is said beforehand.

`status` and `doctor` show it, and the log has it once. A sleep that happens all the same is told afterwards as a time
without monitoring, and the wearable alarms by itself meanwhile.
"""

import logging

from host_agent.errors import StoreError
from host_agent.escalation.checks.check import CheckParts
from host_agent.platform.sleep import Lock, Refused, Sleeps, warning, within
from host_agent.store.bindings import open_bindings

_LOG = logging.getLogger(__name__)
_DEADLINE_REAL_S = 5.0
AGAIN_S = 60.0


class StaysAwakeCheck:
    """`warning` is what a caregiver must know beforehand, "" while nothing is to be said."""

    name = "stays awake"
    every_s = 5.0
    least_real_s = 1.0

    def __init__(self, parts: CheckParts, sleeps: Sleeps) -> None:
        self._parts = parts
        self._sleeps = sleeps
        self._lock: Lock | None = None
        self._tried_s = float("-inf")
        self.warning = ""

    @property
    def is_held(self) -> bool:
        """Whether anything keeps the laptop awake now."""
        return self._lock is not None

    async def look(self) -> None:
        """Take or release the lock. While the store cannot be read, it stays as it is."""
        try:
            bound = await self._parts.store.read(lambda tx: bool(open_bindings(tx)))
        except StoreError:
            return
        now_s = self._parts.clock.monotonic()
        if not bound:
            self.close()
        elif (self._lock is None or self.warning) and now_s - self._tried_s >= AGAIN_S:
            self._tried_s = now_s
            await self._take()

    async def _take(self) -> None:
        before, lock, why = self.warning, None, ""
        try:
            lock = await within(_DEADLINE_REAL_S, self._sleeps)
        except Refused as refused:
            why = str(refused)
        self.close()
        self._lock, self.warning = lock, warning(lock, why)
        self._tried_s = self._parts.clock.monotonic()
        if self.warning and self.warning != before:
            _LOG.warning("%s", self.warning)
        elif not self.warning:
            _LOG.info("this laptop is kept awake while a patient is bound, also with its lid closed")

    def close(self) -> None:
        """Let it sleep again."""
        if self._lock is not None:
            self._lock.release()
        self._lock, self.warning, self._tried_s = None, "", float("-inf")
