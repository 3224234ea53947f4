"""Sends the outbox rows of one receiver: one at a time, in turn between wearables, with back-off, across restarts.

Delivery is at least once: a crash between the receiver's 2xx and our commit sends the event again under the same key.
Only what the receiver refuses for good is given up, until somebody asks for it again or the agent starts again.
Whatever a forwarder raises is an attempt that failed. All times here are real, also in a simulation.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from host_agent.clock import Clock, RealClock, sleep_or_event
from host_agent.errors import StoreError
from host_agent.forward.attempt import attempt
from host_agent.forward.blame import Blame
from host_agent.forward.delivery import (
    Answered,
    Connected,
    Delivered,
    Delivery,
    Forwarder,
    OnReply,
    Outcome,
    Rejected,
    RetryAfter,
)
from host_agent.forward.final_text import FinalTexts, Word
from host_agent.forward.share import Turns
from host_agent.forward.waiting import Item, Offer, Together, Waiting
from host_agent.store import outbox
from host_agent.store.db import Store, Tx

_LOG = logging.getLogger(__name__)
_IDLE_S = 30.0  # longest sleep without a wake; then rows of another process are found too
_STORE_RETRY_FIRST_S, _STORE_RETRY_MAX_S = 1.0, 15.0
_UNREACHED_MAX_S = 3.0  # longest pause while nobody answers: who comes back gets what waits within seconds
_REMEMBERED = 10_000  # keys delivered while the store could not note it
_REFUSED_MAX = 1000


class Counters(NamedTuple):
    """Deliveries since the agent started."""

    delivered: int
    retried: int
    refused: int


class Undelivered(NamedTuple):
    """An event about one wearable (device id hex, "" the agent) that waits in memory, or was refused there."""

    share: str
    priority: int
    kind: str
    since_ms: int
    is_refused: bool
    reason: str


class _Sent(NamedTuple):
    """What became of an attempt, and when (utc_ms): the store may note it much later."""

    outcome: Outcome
    utc_ms: int


class Worker:
    """One per receiver. Call `wake` after a commit that may have added rows."""

    def __init__(
        self, store: Store, forwarder: Forwarder, *, retry_first_s: float, retry_cap_s: float,
        attempt_max_s: float = 65.0, clock: Clock | None = None, word: Word | None = None,
    ) -> None:  # fmt: skip
        """An attempt that lasts longer than `attempt_max_s` has failed, whatever the forwarder waits for."""
        self.name = forwarder.name
        self.accept_simulated = forwarder.accept_simulated
        self.counters = Counters(0, 0, 0)
        self.last_error = ""
        self._store = store
        self._forwarder = forwarder
        self._first_s = retry_first_s
        self._cap_s = retry_cap_s
        self._attempt_max_s = attempt_max_s
        self._clock: Clock = clock or RealClock()
        self._texts = FinalTexts(self.name, word)
        self._woken = asyncio.Event()
        self._paused_until_s = 0.0
        self._paused_above_id = 0  # during a pause a row younger than it lets the receiver be tried
        self._failures = 0
        self._turns = Turns()
        self._blame = Blame()
        self._memory_after_s = 0.0  # until then the store has its turn
        self._waiting = Waiting(self._clock.utc_ms)  # offered while the store was failing
        self._refused: dict[str, tuple[Item, str]] = {}  # of those, by event key: what was refused and why
        self._settled: dict[str, _Sent] = {}  # sent, but the store could not note it yet
        # of those, the rows that the store has, by id
        self._unnoted: dict[int, tuple[outbox.Row, _Sent]] = {}

    def wake(self) -> None:
        """There may be something to send. Call from the event loop's thread."""
        self._woken.set()

    def retry_now(self) -> None:
        """Somebody repaired the receiver: end its pause, and send again what it refused of the events in memory."""
        self._failures, self._paused_until_s, self._memory_after_s = 0, 0.0, 0.0
        self._blame.forget()
        self._settled = {k: sent for k, sent in self._settled.items() if isinstance(sent.outcome, Delivered)}
        for item, _ in self._refused.values():
            self._waiting.add(item.offer._replace(together=None))
        self.wake()

    def offer(
        self, priority: int, delivery: Delivery, share: str = "", kind: str = "", together: Together | None = None
    ) -> None:  # fmt: skip
        """Send from memory, because the store cannot take the event now. A later row of it is not sent again."""
        if delivery.event_key not in self._settled and not self._waiting.has(delivery.event_key):
            self._memory_after_s = 0.0
            self._waiting.add(Offer(priority, delivery, share, kind, together))
            self.wake()

    def undelivered(self) -> list[Undelivered]:
        """What the receiver has not got of the events that no store holds."""
        waiting = [(item, False, self.last_error) for item in self._waiting.items()]
        refused = [(item, True, reason) for item, reason in self._refused.values()]
        return [
            Undelivered(one.offer.share, one.offer.priority, one.offer.kind, one.since_ms, is_refused, reason)
            for one, is_refused, reason in waiting + refused
        ]

    def taken(self) -> set[int]:
        """The outbox rows (ids) that the receiver took and that the store could not note yet."""
        return {row_id for row_id, (_, sent) in self._unnoted.items() if isinstance(sent.outcome, Delivered)}

    async def run(self) -> None:
        """Send what is due, then wait for more."""
        store_pause_s = _STORE_RETRY_FIRST_S
        while True:
            self._woken.clear()
            try:
                wait_s = await self._step()
                store_pause_s = _STORE_RETRY_FIRST_S
            except StoreError as error:
                _LOG.error("target %s: %s", self.name, error)
                wait_s = min(store_pause_s, self._memory_in_s())
                store_pause_s = min(store_pause_s * 2, _STORE_RETRY_MAX_S)
            if wait_s > 0:
                await sleep_or_event(self._clock, wait_s, self._woken)

    @property
    def connection(self) -> Callable[[], Awaitable[None]] | None:
        """What keeps the forwarder's connection until cancelled; None: it keeps none."""
        return self._forwarder.run if isinstance(self._forwarder, Connected) else None

    def take_replies(self, on_reply: OnReply) -> None:
        """Give what people send back over this receiver to `on_reply`, where it can bring anything back."""
        if isinstance(self._forwarder, Answered):
            self._forwarder.take_replies(on_reply)

    async def close(self) -> None:
        """Release the forwarder's connections; after `run` ended."""
        await self._forwarder.close()

    async def _step(self) -> float:
        """One delivery, or none; returns how long there is nothing to do."""
        if self._memory_in_s() == 0:
            wait_s = await self._step_memory()
            self._memory_after_s = self._clock.monotonic() + wait_s
            return 0.0
        now_ms, now_s = self._clock.utc_ms(), self._clock.monotonic()
        paused_s, blame = self._paused_until_s - now_s, self._blame
        is_probe, never = blame.is_probing, {*self._unnoted, *blame.passed}
        above_id, episodes = 0 if paused_s <= 0 or is_probe else self._paused_above_id, blame.kept_episodes

        def find(tx: Tx) -> outbox.Due:
            return outbox.find_due(
                tx, self.name, now_ms, round(self._cap_s * 1000), above_id=above_id, never_ids=never,
                never_episodes=episodes,
            )  # fmt: skip

        due = await self._find_and_note(find)
        if not due.rows and is_probe:
            blame.end_probe()
            return 0.0
        if not due.rows and self._unnoted:
            await self._note_sent()
            return 0.0
        if not due.rows:
            waits = [_IDLE_S, max(0.01, self._memory_in_s())]
            if due.next_utc_ms is not None:
                waits.append(max(0.01, (due.next_utc_ms - now_ms) / 1000, paused_s))
            return min(waits)
        row = due.rows[self._turns.choose(due.priorities)]
        before = self._settled.get(row.event_key)
        outcome = before.outcome if before else await self._send(row.event_key, self._texts.of(row))
        sent = before or _Sent(outcome, self._clock.utc_ms())
        if isinstance(outcome, RetryAfter):
            is_own = blame.is_own(row, outcome)
            self._failures += not (is_own or is_probe)
            self._note(outcome, due.newest_id, pauses=not (is_own or is_probe))
            await self._store.write(lambda tx: self._write_back(tx, row, sent, is_own=is_own))
            self._refused.pop(row.event_key, None)
            return 0.0
        self._note(outcome, due.newest_id)
        blame.taken(row.id)
        self._remember(row.event_key, sent)
        self._unnoted[row.id] = (row._replace(payload=""), sent)
        return 0.0

    async def _find_and_note(self, find: Callable[[Tx], outbox.Due]) -> outbox.Due:
        """What is due. One commit notes what became of rows that were sent, and stores the text of the next one."""

        def write(tx: Tx) -> outbox.Due:
            self._write_unnoted(tx)
            due = find(tx)  # through the writer: a commit that is under way at a wake must be seen
            if due.rows:
                row = due.rows[self._turns.next_of(due.priorities)]
                if row.event_key not in self._settled and (payload := self._texts.new_of(row)) is not None:
                    outbox.hand(tx, row.id, payload, self._clock.utc_ms())
            return due

        try:
            due = await self._store.write(write)
        except StoreError as error:
            # a full disk delays no further alarm; it is written when nothing more is due
            _LOG.error("target %s: %s", self.name, error)
            return await self._store.write(find)
        self._forget_unnoted()
        return due

    async def _note_sent(self) -> None:
        """Write into the store what became of rows that were sent."""
        await self._store.write(self._write_unnoted)
        self._forget_unnoted()

    def _write_unnoted(self, tx: Tx) -> None:
        for row, sent in self._unnoted.values():
            self._write_back(tx, row, sent)

    def _forget_unnoted(self) -> None:
        for row, _ in list(self._unnoted.values()):
            del self._unnoted[row.id]
            self._settled.pop(row.event_key, None)
            self._refused.pop(row.event_key, None)

    def _end_refusals(self, taken: Offer) -> None:
        """This event was taken: its refusal has ended, and any of its alarm that was no more urgent."""
        for event_key, (item, _) in list(self._refused.items()):
            is_same = (item.offer.share, item.offer.kind) == (taken.share, taken.kind)
            if event_key == taken.delivery.event_key or (is_same and item.offer.priority <= taken.priority):
                del self._refused[event_key]

    def _memory_in_s(self) -> float:
        """How long memory has nothing to send; infinite when it is empty."""
        due_in_ms = 0 if self._waiting else self._waiting.due_in_ms()
        if due_in_ms is None:
            return math.inf
        return max(due_in_ms / 1000, self._memory_after_s - self._clock.monotonic(), 0.0)

    async def _step_memory(self) -> float:
        item = self._waiting.next()
        if item is None:
            return 0.0
        offer = item.offer
        event_key, body = offer.delivery.event_key, offer.delivery.body.decode(errors="replace")
        outcome = await self._send(event_key, self._texts.made(event_key, body))
        self._failures += isinstance(outcome, RetryAfter)
        self._note(outcome, 0, pauses=isinstance(outcome, RetryAfter) and outcome.whole_target)
        if isinstance(outcome, RetryAfter):
            if outcome.was_reached:
                self._waiting.failed(item)
            return self._delay_s(outcome, self._failures - 1)
        self._waiting.done(item)
        if isinstance(outcome, Rejected):
            self._refused[offer.delivery.event_key] = (item, outcome.reason)
            if len(self._refused) > _REFUSED_MAX:
                del self._refused[next(iter(self._refused))]
        else:
            self._end_refusals(offer)
        self._remember(offer.delivery.event_key, _Sent(outcome, self._clock.utc_ms()))
        return 0.0

    async def _send(self, event_key: str, body: str) -> Outcome:
        """One attempt. Nothing that a forwarder does, or does not do, ends the queue."""
        outcome = await attempt(
            self._forwarder, Delivery(event_key, body.encode()), self._attempt_max_s, self.name
        )
        self._texts.tried(event_key, outcome)
        return outcome

    def _note(self, outcome: Outcome, newest_id: int, *, pauses: bool = True) -> None:
        delivered, retried, refused = self.counters
        if isinstance(outcome, RetryAfter):
            self.counters = Counters(delivered, retried + 1, refused)
            _LOG.warning("target %s: %s", self.name, outcome.reason)
            self.last_error = outcome.reason
            if pauses:
                delay_s = self._delay_s(outcome, self._failures - 1)
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
        wish_s = outcome.after_s
        if wish_s is None or not math.isfinite(wish_s):
            wish_s = self._first_s * 2 ** min(max(attempts, 0), 20)
        cap_s = self._cap_s if outcome.was_reached else min(self._cap_s, _UNREACHED_MAX_S)
        return min(cap_s, max(self._first_s, wish_s))

    def _write_back(self, tx: Tx, row: outbox.Row, sent: _Sent, *, is_own: bool = True) -> None:
        outcome = sent.outcome
        if isinstance(outcome, Delivered):
            outbox.mark_delivered(tx, row.id, sent.utc_ms)
        elif isinstance(outcome, Rejected):
            outbox.mark_refused(tx, row.id, outcome.reason)
        elif not is_own:
            is_new = row.is_new and not outcome.was_reached
            now_ms = self._clock.utc_ms()
            outbox.mark_unreached(tx, row.id, now_ms, outcome.reason, self._blame.own, is_new=is_new)
        else:
            delay_ms = round(self._delay_s(outcome, row.setbacks) * 1000)
            outbox.mark_retry(tx, row.id, sent.utc_ms + delay_ms, outcome.reason)

    def _remember(self, event_key: str, sent: _Sent) -> None:
        self._settled[event_key] = sent
        if isinstance(sent.outcome, Delivered):
            self._refused.pop(event_key, None)
        if len(self._settled) > _REMEMBERED:
            del self._settled[next(iter(self._settled))]
