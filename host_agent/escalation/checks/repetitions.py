"""Tells what came so often from one wearable that it was only counted: as one event, some seconds later."""

import logging

from host_agent.clock import Clock
from host_agent.errors import StoreError
from host_agent.escalation.derive import Escalation
from host_agent.store.db import Store
from host_agent.store.repetitions import has_repetitions

_LOG = logging.getLogger(__name__)


class RepetitionCheck:
    """Looks every second, in real time: how often receivers are told does not depend on a simulation's speed."""

    name = "repeated events"
    every_s = 1.0
    least_real_s = 1.0

    def __init__(self, store: Store, escalation: Escalation, clock: Clock) -> None:
        self._store = store
        self._escalation = escalation
        self._clock = clock

    async def look(self) -> None:
        """Tell what is due."""
        try:
            if await self._store.read(has_repetitions):
                now_ms = self._clock.utc_ms()
                await self._store.write(lambda tx: self._escalation.tell_repetitions(tx, now_ms))
        except StoreError as error:
            _LOG.error("repeated events cannot be read or stored: %s", error)
