"""Sends the outbox rows of one receiver: one at a time, the most urgent first, with back-off, across restarts.

Delivery is at least once: a crash between the receiver's 2xx and our commit sends the event again under the same key.
Only what the receiver refuses for good is given up. All times here are real, also in a simulation.
"""

import asyncio
import logging
from typing import NamedTuple

from host_agent.clock import Clock, RealClock
from host_agent.errors import StoreError
from host_agent.forward.delivery import Delivered, Delivery, Forwarder, Outcome, Rejected, RetryAfter
from host_agent.store import outbox
from host_agent.store.db import Store, Tx

_LOG = logging.getLogger(__name__)
_IDLE_S = 30.0  # longest sleep without a wake; then rows of another process are found too
_STORE_RETRY_S = 1.0
_REMEMBERED = 10_000  # keys delivered while the store could not note it


class Counters(NamedTuple):
    """Deliveries since the agent started."""

    delivered: int
    retried: int
    refused: int


class Worker:
    """One per receiver. Call `wake` after a commit that may have added rows."""

    def __init__(
        self,
        store: Store,
        forwarder: Forwarder,
        *,
        retry_first_s: float,
        retry_cap_s: float,
        clock: Clock | None = None,
    ) -> None:
        self.name = forwarder.name
        self.accept_simulated = forwarder.accept_simulated
        self.counters = Counters(0, 0, 0)
        self.last_error = ""
        self._store = store
        self._forwarder = forwarder
        self._first_s = retry_first_s
        self._cap_s = retry_cap_s
        self._clock: Clock = clock or RealClock()
        self._woken = asyncio.Event()
        self._paused_until_s = 0.0
        self._paused_above_id = 0  # during a pause only rows younger than it are tried
        self._failures = 0
        self._memory: list[tuple[int, Delivery]] = []  # offered while the store was failing
        self._settled: dict[str, Outcome] = {}  # sent, but the store could not note it yet

    def wake(self) -> None:
        """There may be something to send. Call from the event loop's thread."""
        self._woken.set()

    def offer(self, priority: int, delivery: Delivery) -> None:
        """Send from memory, because the store cannot take the event now. A later row of it is not sent again."""
        if delivery.event_key in self._settled or any(
            d.event_key == delivery.event_key for _, d in self._memory
        ):
            return
        self._memory.append((priority, delivery))
        self._memory.sort(key=lambda item: -item[0])
        self.wake()

    async def run(self) -> None:
        """Send what is due, then wait for more."""
        while True:
            self._woken.clear()
            try:
                wait_s = await self._step()
            except StoreError as error:
                _LOG.error("target %s: %s", self.name, error)
                wait_s = _STORE_RETRY_S
            if wait_s > 0:
                await self._sleep(wait_s)

    async def close(self) -> None:
        """Release the forwarder's connections; after `run` ended."""
        await self._forwarder.close()

    async def _step(self) -> float:
        """One delivery, or none; returns how long there is nothing to do."""
        if self._memory:
            return await self._step_memory()
        now_ms, now_s = self._clock.utc_ms(), self._clock.monotonic()
        paused_s = self._paused_until_s - now_s
        above_id = self._paused_above_id if paused_s > 0 else 0
        # through the writer: a commit that is under way at a wake must be seen
        due = await self._store.write(
            lambda tx: outbox.find_due(tx, self.name, now_ms, round(self._cap_s * 1000), above_id)
        )
        if due.row is None:
            waits = [_IDLE_S]
            if due.next_utc_ms is not None:
                waits.append(max(0.01, (due.next_utc_ms - now_ms) / 1000, paused_s))
            return min(waits)
        row = due.row
        outcome = self._settled.get(row.event_key) or await self._forwarder.send(
            Delivery(row.event_key, row.payload.encode())
        )
        self._note(outcome, row.attempts, due.newest_id)
        if not isinstance(outcome, RetryAfter):
            self._remember(row.event_key, outcome)
        await self._store.write(lambda tx: self._write_back(tx, row, outcome))
        self._settled.pop(row.event_key, None)
        return 0.0

    async def _step_memory(self) -> float:
        priority, delivery = self._memory[0]
        outcome = await self._forwarder.send(delivery)
        self._note(outcome, self._failures, 0)
        if isinstance(outcome, RetryAfter):
            return self._delay_s(outcome, self._failures - 1)
        self._memory.remove((priority, delivery))
        self._remember(delivery.event_key, outcome)
        return 0.0

    def _note(self, outcome: Outcome, attempts: int, newest_id: int) -> None:
        delivered, retried, refused = self.counters
        if isinstance(outcome, RetryAfter):
            self.counters = Counters(delivered, retried + 1, refused)
            self._failures += 1
            if self.last_error != outcome.reason:
                _LOG.warning("target %s: %s", self.name, outcome.reason)
            self.last_error = outcome.reason
            if outcome.whole_target:
                delay_s = self._delay_s(outcome, max(attempts, self._failures - 1))
                self._paused_until_s = self._clock.monotonic() + delay_s
                self._paused_above_id = newest_id
            return
        self._failures = 0
        self._paused_until_s = 0.0
        if isinstance(outcome, Rejected):
            self.counters = Counters(delivered, retried, refused + 1)
            self.last_error = outcome.reason
            _LOG.error("target %s: %s", self.name, outcome.reason)
        else:
            self.counters = Counters(delivered + 1, retried, refused)
            self.last_error = ""

    def _delay_s(self, outcome: RetryAfter, attempts: int) -> float:
        """The receiver's wish or a doubling pause in seconds, never above the cap: an alarm must not wait for hours."""
        wish_s = (
            outcome.after_s if outcome.after_s is not None else self._first_s * 2 ** min(max(attempts, 0), 20)
        )
        return min(self._cap_s, max(self._first_s, wish_s))

    def _write_back(self, tx: Tx, row: outbox.Row, outcome: Outcome) -> None:
        now_ms = self._clock.utc_ms()
        if isinstance(outcome, Delivered):
            outbox.mark_delivered(tx, row.id, now_ms)
        elif isinstance(outcome, Rejected):
            outbox.mark_refused(tx, row.id, outcome.reason)
        else:
            delay_ms = round(self._delay_s(outcome, row.attempts) * 1000)
            outbox.mark_retry(tx, row.id, now_ms + delay_ms, outcome.reason)

    def _remember(self, event_key: str, outcome: Outcome) -> None:
        self._settled[event_key] = outcome
        if len(self._settled) > _REMEMBERED:
            del self._settled[next(iter(self._settled))]

    async def _sleep(self, seconds: float) -> None:
        sleep = asyncio.ensure_future(self._clock.sleep(seconds))
        woken = asyncio.ensure_future(self._woken.wait())
        try:
            await asyncio.wait([sleep, woken], return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            woken.cancel()
