"""What people were asked for and did not enter in time is an alarm of the host: PROMPT_MISSED, ended by the answer.

Judged anew from the store at every look, so a restart raises nothing twice. A store that fails does not silence it.
"""

import logging
from typing import NamedTuple

from crs_core.codes import PROMPT_MISSED

from host_agent.errors import StoreError
from host_agent.escalation.checks.check import CheckParts, Finding
from host_agent.people.regrade import asked_for
from host_agent.store.bindings import open_bindings
from host_agent.store.db import Tx
from host_agent.store.host_alarms import end_alarm, open_alarms, raise_alarm, reword_alarm
from host_agent.sync.timebase import record_time
from host_agent.text import prompt_names

_LOG = logging.getLogger(__name__)


class Missed(NamedTuple):
    """What is missed about one wearable."""

    device: int
    device_id: bytes
    finding: Finding


class PromptCheck:
    """Looks at every open binding."""

    name = "prompts"
    every_s = 30.0
    least_real_s = 1.0

    def __init__(self, parts: CheckParts) -> None:
        self._parts = parts
        self._missed: list[Missed] = []  # as last read
        self._is_stored = True  # whether the store's open alarms say the same

    async def look(self) -> None:
        """Judge every open binding now."""
        store, now_ms = self._parts.store, self._parts.clock.utc_ms()
        try:
            self._missed, self._is_stored = await store.read(lambda tx: self._judge(tx, now_ms))
            if not self._is_stored:
                await store.write(lambda tx: self._keep(tx, self._judge(tx, now_ms)[0], now_ms))
                self._is_stored = True
        except StoreError as error:
            _LOG.error("missed entries cannot be read or stored: %s", error)
            for missed in [] if self._is_stored else self._missed:
                self._parts.alarm_from_memory(missed.device_id, missed.finding)

    def _judge(self, tx: Tx, now_ms: int) -> tuple[list[Missed], bool]:
        """(what is missed, whether the store's open alarms say just that)."""
        found = []
        for bound in open_bindings(tx):
            asked = asked_for(tx, bound.row, now_ms, record_time)
            if asked.priority:
                detail = f"not entered in time: {prompt_names(asked.missed)}"
                finding = Finding(PROMPT_MISSED, asked.priority, detail)
                found.append(Missed(bound.device, bound.device_id, finding))
        raised = {alarm.device: alarm for alarm in open_alarms(tx) if alarm.alarm == PROMPT_MISSED}
        same = set(raised) == {one.device for one in found} and all(
            raised[one.device].detail == one.finding.detail
            and raised[one.device].priority >= one.finding.priority
            for one in found
        )
        return found, same

    def _keep(self, tx: Tx, found: list[Missed], now_ms: int) -> None:
        derive = self._parts.derive
        for one in found:
            alarm, priority, detail = one.finding
            raise_alarm(
                tx, derive, device=one.device, alarm=alarm, priority=priority, detail=detail, utc_ms=now_ms
            )
            reword_alarm(tx, device=one.device, alarm=alarm, detail=detail, utc_ms=now_ms)
        missing = {one.device for one in found}
        for standing in open_alarms(tx):
            if standing.alarm == PROMPT_MISSED and standing.device not in missing:
                end_alarm(tx, derive, device=standing.device, alarm=PROMPT_MISSED, utc_ms=now_ms)
