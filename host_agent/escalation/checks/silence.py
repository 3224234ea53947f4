"""Silence is an alarm: looks at every enrolled wearable and keeps the alarms about its data true.

A store that fails does not silence it: the alarm goes out from memory and is stored as soon as that works again.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping

from host_agent.errors import StoreError
from host_agent.escalation.checks.check import CheckParts, Finding
from host_agent.escalation.checks.silence_facts import binding_state, newest_reading, recent_priority
from host_agent.escalation.checks.silence_rules import ALL, BOUND, ENDED, UNBOUND, Facts, Limits, findings
from host_agent.escalation.pauses import StoredPause, open_pause
from host_agent.store.db import Tx
from host_agent.store.devices import ensure_device_unheard, find_device
from host_agent.store.host_alarms import end_alarm, raise_alarm
from host_agent.sync.live import Heard

_LOG = logging.getLogger(__name__)
STORE_REAL_S = (
    12.0  # a store that does not answer is a store that fails; SQLite waits 5 s for another program
)


class SilenceCheck:
    """`heard` gives, for every enrolled wearable, when data last came in this run."""

    name = "silence"
    every_s = 1.0
    least_real_s = 0.2

    def __init__(
        self,
        parts: CheckParts,
        limits: Limits,
        *,
        heard: Callable[[], Mapping[bytes, Heard]],
        store_real_s: float = STORE_REAL_S,
    ) -> None:
        self._parts = parts
        self._limits = limits
        self._heard = heard
        self._store_real_s = store_real_s
        self._started_s = parts.clock.monotonic()
        # (wearable, journal, sequence) → end of its pause
        self._pause_ends_s: dict[tuple[int, int, int], float] = {}
        self._raised: dict[tuple[bytes, int], int] = {}  # (wearable, alarm) → priority in the store

    async def look(self) -> None:
        """Judge every enrolled wearable now."""
        for device_id, heard in self._heard().items():
            try:
                await self.look_at(device_id, heard)
            except Exception:  # one wearable that cannot be judged by its records never hides another
                _LOG.exception("the silence of %s is judged without its records", device_id.hex())
                self._without_store(device_id, heard)

    async def look_at(self, device_id: bytes, heard: Heard) -> list[Finding]:
        """Judge one wearable now; returns what holds."""
        store, now_ms = self._parts.store, self._parts.clock.utc_ms()

        def judge(tx: Tx) -> Facts:
            device = find_device(tx, device_id)
            if device is None:
                return self._facts_without_store(heard, UNBOUND)
            return self._facts(tx, device.id, heard, now_ms)

        try:
            async with asyncio.timeout(self._store_real_s):
                facts = await store.read(judge)
            found = findings(facts, self._limits)
            rising = [f for f in found if f.priority > self._raised.get((device_id, f.alarm), 0)]
            over = self._over(device_id, facts, found)
            if rising or over:
                async with asyncio.timeout(self._store_real_s):
                    await store.write(lambda tx: self._keep(tx, device_id, rising, over, now_ms))
                self._raised.update({(device_id, f.alarm): f.priority for f in rising})
                self._raised.update({(device_id, alarm): 0 for alarm in over})
        except (StoreError, TimeoutError) as error:
            why = error if isinstance(error, StoreError) else f"no answer in {self._store_real_s:g} s"
            _LOG.error("silence of a wearable cannot be read or stored: %s", why)
            found = self._without_store(device_id, heard)
        return found

    def _without_store(self, device_id: bytes, heard: Heard) -> list[Finding]:
        found = findings(self._facts_without_store(heard, BOUND), self._limits)
        for finding in found:
            self._parts.alarm_from_memory(device_id, finding)
        return found

    def _over(self, device_id: bytes, facts: Facts, found: list[Finding]) -> list[int]:
        """Alarms that ended. Before any data of this run, what an earlier run raised is not over."""
        if not facts.has_data and facts.binding != ENDED:
            return []
        holding = {finding.alarm for finding in found}
        return [
            alarm for alarm in ALL if alarm not in holding and self._raised.get((device_id, alarm), -1) != 0
        ]

    def _facts(self, tx: Tx, device: int, heard: Heard, now_ms: int) -> Facts:
        facts = self._facts_without_store(heard, binding_state(tx, device))
        newest = newest_reading(tx, device)
        if newest is not None or heard.stored_s is not None:
            age_s = self._received_s(heard)
            if newest is not None:
                age_s = max(age_s, (now_ms - newest[0] - newest[1]) / 1000)
                facts = facts._replace(ahead_s=(newest[0] - newest[1] - now_ms) / 1000)
            ages = [age_s] if facts.newest_age_s is None else [age_s, facts.newest_age_s]
            facts = facts._replace(newest_age_s=min(ages))
        pause = open_pause(tx, device) if facts.binding == BOUND else None
        return facts._replace(
            recent_priority=recent_priority(tx, device, now_ms),
            pause_left_s=self._pause_left_s(device, pause, now_ms) if pause else None,
        )

    def _received_s(self, heard: Heard) -> float:
        """For how long the newest stored reading has been here, by the clock that nobody can set.

        A reading that did not come in this run came before it. Whatever a time mark says, it is no younger.
        """
        now_s = self._parts.clock.monotonic()
        if heard.stored_s is not None:
            return now_s - heard.stored_s
        return 0.0 if heard.has_data and heard.live_s is None else now_s - self._started_s

    def _pause_left_s(self, device: int, pause: StoredPause, now_ms: int) -> float:
        """How long a pause still lasts. A laptop's clock that is set back does not lengthen it."""
        now_s, left_s = self._parts.clock.monotonic(), (pause.until_utc_ms - now_ms) / 1000
        key = (device, pause.journal, pause.seq)
        end_s = self._pause_ends_s.setdefault(key, now_s + left_s)
        return min(left_s, end_s - now_s)

    def _facts_without_store(self, heard: Heard, binding: str) -> Facts:
        now_s = self._parts.clock.monotonic()
        age_s = None if heard.live_s is None else now_s - heard.live_s
        return Facts(now_s - self._started_s, age_s, heard.has_data, 0.0, 0, binding)

    def _keep(self, tx: Tx, device_id: bytes, rising: list[Finding], over: list[int], now_ms: int) -> None:
        derive = self._parts.derive
        device = ensure_device_unheard(tx, device_id, now_ms)
        for alarm, priority, detail in rising:
            raise_alarm(
                tx, derive, device=device, alarm=alarm, priority=priority, detail=detail, utc_ms=now_ms
            )
        for alarm in over:
            end_alarm(tx, derive, device=device, alarm=alarm, utc_ms=now_ms)
