"""Ends what counts no longer. An alarm that goes on after its acceptance is unaccepted again, shown and told."""

import logging
from functools import partial

from host_agent.clock import Clock
from host_agent.errors import StoreError
from host_agent.escalation.derive import Escalation
from host_agent.people import accepting
from host_agent.store import acceptances as store
from host_agent.store.db import Store, Tx

_LOG = logging.getLogger(__name__)


class LapseCheck:
    """Looks every second of the agent's clock.

    How long an acceptance has held is counted, from the first look at it: who sets the wall clock meanwhile makes it
    neither longer nor shorter. After a start the wall clock says how long it has held.
    """

    name = "acceptances"
    every_s = 1.0
    least_real_s = 1.0

    def __init__(self, data: Store, escalation: Escalation, clock: Clock) -> None:
        self._store = data
        self._escalation = escalation
        self._clock = clock
        self._ahead_ms: dict[int, int] = {}  # by acceptance: its wall clock less the counter

    async def look(self) -> None:
        """End what is over, and tell what lapsed."""
        wall_ms, counted_ms = self._clock.utc_ms(), round(self._clock.monotonic() * 1000)
        try:
            found = await self._store.read(store.unended)
            self._ahead_ms = {one: self._ahead_ms.get(one, wall_ms - counted_ms) for one in found}
            for ahead_ms in set(self._ahead_ms.values()):
                ids = [one for one in found if self._ahead_ms[one] == ahead_ms]
                if await self._store.read(partial(_finished, now_ms=counted_ms + ahead_ms, ids=ids)):
                    await self._store.write(partial(self._end, counted_ms + ahead_ms, wall_ms, ids))
        except StoreError as error:
            _LOG.error("acceptances cannot be read or ended: %s", error)

    def _end(self, now_ms: int, wall_ms: int, ids: list[int], tx: Tx) -> None:
        for one, why in _finished(tx, now_ms, ids):
            store.end_acceptance(tx, one, why, wall_ms)
            if one.kind == store.ACCEPTED and one.after is None and why == store.LAPSED:
                self._escalation.lapsed(tx, one, wall_ms)


def _finished(tx: Tx, now_ms: int, ids: list[int]) -> list[tuple[store.Acceptance, str]]:
    return store.finished(tx, now_ms, clock_back_ms=accepting.CLOCK_BACK_MS, ids=ids)
