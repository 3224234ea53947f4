"""Runs the watchdog: looks at every enrolled wearable each second of the agent's clock and keeps its alarms true.

A store that fails does not silence it: the alarm goes out from memory and is stored as soon as that works again.
"""

import logging
from collections.abc import Callable, Mapping
from typing import NamedTuple

from host_agent.clock import Clock
from host_agent.errors import StoreError
from host_agent.escalation.news import Resolve
from host_agent.escalation.pauses import open_pause
from host_agent.escalation.watchdog import ALL, BOUND, ENDED, UNBOUND, Facts, Finding, Limits, findings
from host_agent.escalation.watchdog_facts import binding_state, newest_reading, recent_priority
from host_agent.store.db import Store, Tx
from host_agent.store.host_alarms import end_alarm, raise_alarm
from host_agent.store.journals import ensure_device
from host_agent.store.rows import Derivation

_LOG = logging.getLogger(__name__)
_TICK_S = 1.0  # of the agent's clock ...
_TICK_REAL_S = 0.2  # ... but a simulation does not need more than five looks per real second


class Heard(NamedTuple):
    """What the running agent heard: when live values last moved (agent's clock), whether any data came since start."""

    live_s: float | None
    has_data: bool


class Watchdog:
    """`heard` gives, for every enrolled wearable, when data last came in this run."""

    def __init__(
        self,
        store: Store,
        derive: Derivation,
        limits: Limits,
        clock: Clock,
        *,
        heard: Callable[[], Mapping[bytes, Heard]],
        resolve: Resolve,
        from_memory: Callable[[bytes, Finding], None] = lambda device_id, finding: None,
    ) -> None:
        self._store = store
        self._derive = derive
        self._limits = limits
        self._clock = clock
        self._heard = heard
        self._resolve = resolve
        self._from_memory = from_memory
        self.started_utc_ms = clock.utc_ms()
        self._started_s = clock.monotonic()
        self._said: dict[tuple[bytes, int], int] = {}  # (wearable, alarm) → priority stored

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._clock.sleep(max(_TICK_S, _TICK_REAL_S * self._clock.speed))
            for device_id, heard in self._heard().items():
                await self.look(device_id, heard)

    async def look(self, device_id: bytes, heard: Heard) -> list[Finding]:
        """Judge one wearable now; returns what holds."""
        now_ms = self._clock.utc_ms()

        def judge(tx: Tx) -> Facts:
            row = tx.execute("SELECT id FROM devices WHERE device_id = ?", (device_id,)).fetchone()
            if row is None:
                return self._unstored_facts(heard, UNBOUND)
            return self._facts(tx, row[0], heard, now_ms)

        try:
            facts = await self._store.read(judge)
            found = findings(facts, self._limits)
            rising = [f for f in found if f.priority > self._said.get((device_id, f.alarm), 0)]
            over = self._over(device_id, facts, found)
            if rising or over:
                await self._store.write(lambda tx: self._keep(tx, device_id, rising, over, now_ms))
                self._said.update({(device_id, f.alarm): f.priority for f in rising})
                self._said.update({(device_id, alarm): 0 for alarm in over})
        except StoreError as error:
            _LOG.error("watchdog: %s", error)
            found = findings(self._unstored_facts(heard, BOUND), self._limits)
            for finding in found:
                self._from_memory(device_id, finding)
        return found

    def _over(self, device_id: bytes, facts: Facts, found: list[Finding]) -> list[int]:
        """Alarms that ended. Before any data of this run, what an earlier run raised is not over."""
        if not facts.has_data and facts.binding != ENDED:
            return []
        holding = {finding.alarm for finding in found}
        return [
            alarm for alarm in ALL if alarm not in holding and self._said.get((device_id, alarm), -1) != 0
        ]

    def _facts(self, tx: Tx, device: int, heard: Heard, now_ms: int) -> Facts:
        facts = self._unstored_facts(heard, binding_state(tx, device))
        newest = newest_reading(tx, device, self._resolve)
        if newest is not None:
            age_s = max(0.0, (now_ms - newest[0] - newest[1]) / 1000)
            live_age_s = facts.newest_age_s
            facts = facts._replace(
                newest_age_s=age_s if live_age_s is None else min(age_s, live_age_s),
                ahead_s=(newest[0] - newest[1] - now_ms) / 1000,
            )
        pause = open_pause(tx, device, self._resolve) if facts.binding == BOUND else None
        return facts._replace(
            recent_priority=recent_priority(tx, device, self._resolve, now_ms),
            pause_left_s=(pause.until_utc_ms - now_ms) / 1000 if pause else None,
        )

    def _unstored_facts(self, heard: Heard, binding: str) -> Facts:
        now_s = self._clock.monotonic()
        age_s = None if heard.live_s is None else now_s - heard.live_s
        return Facts(now_s - self._started_s, age_s, heard.has_data, 0.0, 0, binding)

    def _keep(self, tx: Tx, device_id: bytes, rising: list[Finding], over: list[int], now_ms: int) -> None:
        device = ensure_device_quietly(tx, device_id, now_ms)
        for finding in rising:
            raise_alarm(
                tx, self._derive, device=device, alarm=finding.alarm, priority=finding.priority,
                detail=finding.detail, utc_ms=now_ms,
            )  # fmt: skip
        for alarm in over:
            end_alarm(tx, self._derive, device=device, alarm=alarm, utc_ms=now_ms)


def ensure_device_quietly(tx: Tx, device_id: bytes, utc_ms: int) -> int:
    """Row id of a wearable without claiming that it was seen."""
    row = tx.execute("SELECT id FROM devices WHERE device_id = ?", (device_id,)).fetchone()
    return int(row[0]) if row else ensure_device(tx, device_id, utc_ms)
