"""What people were asked for and did not enter in time is an alarm of the host: PROMPT_MISSED, ended by the answer.

Judged anew from the store at every look, so a restart raises nothing twice. A store that fails does not silence it.
"""

import logging
from collections.abc import Callable
from typing import NamedTuple

from crs_core.codes import PROMPT_MISSED

from host_agent.clock import Clock
from host_agent.errors import StoreError
from host_agent.escalation.watchdog import Finding
from host_agent.people.regrade import asked_for
from host_agent.people.wearable_says import Resolve
from host_agent.store.db import Store, Tx
from host_agent.store.host_alarms import end_alarm, open_alarms, raise_alarm, reword_alarm
from host_agent.store.rows import Derivation
from host_agent.text import prompt_names

_LOG = logging.getLogger(__name__)
_TICK_S = 30.0  # of the agent's clock: a prompt is a matter of minutes ...
_TICK_REAL_S = 1.0  # ... and a simulation does not need more than one look per real second


class Missed(NamedTuple):
    """What is missed about one wearable; priority 0: nothing is."""

    device: int
    device_id: bytes
    finding: Finding


class PromptWatch:
    """`from_memory` takes what holds while the store takes nothing."""

    def __init__(
        self,
        store: Store,
        derive: Derivation,
        clock: Clock,
        *,
        resolve: Resolve,
        from_memory: Callable[[bytes, Finding], None] = lambda device_id, finding: None,
    ) -> None:
        self._store = store
        self._derive = derive
        self._clock = clock
        self._resolve = resolve
        self._from_memory = from_memory
        self._standing: list[Missed] = []  # as last read ...
        self._is_stored = True  # ... and whether the store says the same

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._clock.sleep(max(_TICK_S, _TICK_REAL_S * self._clock.speed))
            await self.look()

    async def look(self) -> None:
        """Judge every open binding now."""
        now_ms = self._clock.utc_ms()
        try:
            self._standing, self._is_stored = await self._store.read(lambda tx: self._judge(tx, now_ms))
            if not self._is_stored:
                await self._store.write(lambda tx: self._keep(tx, self._judge(tx, now_ms)[0], now_ms))
                self._is_stored = True
        except StoreError as error:
            _LOG.error("prompts: %s", error)
            for missed in [] if self._is_stored else self._standing:
                self._from_memory(missed.device_id, missed.finding)

    def _judge(self, tx: Tx, now_ms: int) -> tuple[list[Missed], bool]:
        """(what is missed, whether the store's open alarms say just that)."""
        found = []
        for binding, device, device_id in tx.execute(
            "SELECT b.id, b.device, d.device_id FROM bindings b JOIN devices d ON d.id = b.device"
            " WHERE b.state <> 'ended' ORDER BY b.id"
        ).fetchall():
            asked = asked_for(tx, binding, now_ms, self._resolve)
            if asked.priority:
                detail = f"not entered in time: {prompt_names(asked.missed)}"
                found.append(Missed(device, device_id, Finding(PROMPT_MISSED, asked.priority, detail)))
        told = {alarm.device: alarm for alarm in open_alarms(tx) if alarm.alarm == PROMPT_MISSED}
        same = set(told) == {one.device for one in found} and all(
            told[one.device].detail == one.finding.detail
            and told[one.device].priority >= one.finding.priority
            for one in found
        )
        return found, same

    def _keep(self, tx: Tx, found: list[Missed], now_ms: int) -> None:
        for one in found:
            priority, detail = one.finding.priority, one.finding.detail
            raise_alarm(
                tx, self._derive, device=one.device, alarm=PROMPT_MISSED, priority=priority, detail=detail,
                utc_ms=now_ms,
            )  # fmt: skip
            reword_alarm(tx, device=one.device, alarm=PROMPT_MISSED, detail=detail, utc_ms=now_ms)
        missing = {one.device for one in found}
        for alarm in open_alarms(tx):
            if alarm.alarm == PROMPT_MISSED and alarm.device not in missing:
                end_alarm(tx, self._derive, device=alarm.device, alarm=PROMPT_MISSED, utc_ms=now_ms)
