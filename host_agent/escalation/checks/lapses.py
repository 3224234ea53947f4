"""Ends what counts no longer. An alarm that goes on after its acceptance is unaccepted again, shown and told."""

import logging

from host_agent.clock import Clock
from host_agent.errors import StoreError
from host_agent.escalation.derive import Escalation
from host_agent.people import accepting
from host_agent.store import acceptances as store
from host_agent.store.db import Store, Tx

_LOG = logging.getLogger(__name__)


class LapseCheck:
    """Looks every second of the agent's clock."""

    name = "acceptances"
    every_s = 1.0
    least_real_s = 1.0

    def __init__(self, data: Store, escalation: Escalation, clock: Clock) -> None:
        self._store = data
        self._escalation = escalation
        self._clock = clock

    async def look(self) -> None:
        """End what is over, and tell what lapsed."""
        now_ms = self._clock.utc_ms()
        try:
            if await self._store.read(
                lambda tx: store.finished(tx, now_ms, clock_back_ms=accepting.CLOCK_BACK_MS)
            ):
                await self._store.write(lambda tx: self._end(tx, now_ms))
        except StoreError as error:
            _LOG.error("acceptances cannot be read or ended: %s", error)

    def _end(self, tx: Tx, now_ms: int) -> None:
        for one, why in accepting.end_finished(tx, now_ms):
            if one.kind == store.ACCEPTED and one.after is None and why == store.LAPSED:
                self._escalation.lapsed(tx, one, now_ms)
