"""An alarm that a wearable rings for and whose record does not come is told all the same, under the key of the record.

The record is on the wearable's flash when it rings, and comes within a second. Where it does not, because the wearable
is stuck or its link too slow, its live values would still look well.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from host_agent.clock import Clock
from host_agent.errors import StoreError
from host_agent.store.alarm_changes import standing_alarms
from host_agent.store.db import Store, Tx
from host_agent.store.events import event_at
from host_agent.store.rows import Journal

OVERDUE_S = 20.0  # real; a proposal that a clinician must sign


class _Rung(NamedTuple):
    journal: Journal
    status: Any
    message: Any  # ALARM with one alarm
    since_s: float


class RecordOverdueCheck:
    """`tell` gets the journal, STATUS_IS and the ALARM message of what was not told."""

    name = "records of alarms"
    every_s = 1.0
    least_real_s = 1.0

    def __init__(self, store: Store, link_clock: Clock, tell: Callable[[Journal, Any, Any], None]) -> None:
        self._store = store
        self._clock = link_clock
        self._tell = tell
        self._rung: dict[tuple[bytes, int], _Rung] = {}

    def rang(self, journal: Journal, status: Any, message: Any) -> None:
        """A wearable rang, and its record is to come. Of each alarm the first ring and the highest priority wait."""
        for alarm, priority in message.alarms:
            key = (journal.device_id, alarm)
            before = self._rung.get(key)
            if before is None or before.message.alarms[0][1] < priority:
                one = message._replace(alarms=((alarm, priority),))
                since_s = self._clock.monotonic() if before is None else before.since_s
                self._rung[key] = _Rung(journal, status, one, since_s)

    async def look(self) -> None:
        """Forget whose record came, and tell the others when their time is over."""
        now_s = self._clock.monotonic()
        for key, one in list(self._rung.items()):
            if now_s - one.since_s < OVERDUE_S:
                continue
            try:
                has_come = await self._store.read(partial(_has_come, one=one))
            except StoreError:  # alarms go out from memory then, at each ring
                continue
            if self._rung.get(key) is one:
                del self._rung[key]
            if not has_come:
                self._tell(one.journal, one.status, one.message)


def _has_come(tx: Tx, one: _Rung) -> bool:
    alarm, priority = one.message.alarms[0]
    if event_at(tx, one.journal.id, one.message.seq) is not None:
        return True
    standing = standing_alarms(tx, one.journal.id)
    return any(stands.alarm == alarm and stands.priority >= priority for stands in standing)
