"""Pulls one wearable's journal into the store: READ_FROM(cursor) -> BLOCK, GAP -> one transaction -> ACK.

The acknowledgement goes out only after COMMIT. A kill at any moment loses nothing: what was not committed was not
acknowledged and comes again, what was committed twice is the same row. When the store fails, nothing is
acknowledged, the listener gets the records to alarm from memory, and they are tried again.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from crs_core.wire import message as wire

from host_agent.clock import Clock, RealClock
from host_agent.errors import AnswerTimeout, HostAgentError, SessionClosed, StoreError, TransportLost
from host_agent.store.db import Store
from host_agent.store.journals import NO_BINDING
from host_agent.store.rows import Derivation, Journal
from host_agent.sync.begin import Begun, begin, begin_in_memory, begin_without_journal
from host_agent.sync.client import DeviceClient
from host_agent.sync.listener import SyncListener
from host_agent.sync.reception import Reception, store_pauses_s
from host_agent.sync.refusal import may_alarm
from host_agent.sync.time_sync import TimeSync
from host_agent.sync.verify import Verifier, verify_behind
from host_agent.sync.without_row import begun_in_memory, until_begun

_LOG = logging.getLogger(__name__)
HEARTBEAT_S = 15.0  # board time
MISSES = 3
SILENCE_S = 5.0  # real: shortest time that a link gets to answer, however fast a simulation runs
_ASK_TRIES = 3
_ASK_DEADLINE_S = 2.0
TIME_EVERY_S = 3600.0  # board time
STATUS_EVERY_S = 600.0  # board time; often enough to see the battery fall


class SyncEngine:
    """Syncs for one session. `run()` ends only by raising the error that ended the session."""

    def __init__(
        self,
        store: Store,
        client: DeviceClient,
        *,
        derive: Derivation,
        listener: SyncListener,
        verifier: Verifier,
        board_clock: Clock,
        link_clock: Clock | None = None,
        heartbeat_s: float = HEARTBEAT_S,
        host_bound_ms: int = 1000,
    ) -> None:
        """`board_clock` may be scaled; `host_bound_ms` is how wrong this computer's UTC may be."""
        self.client = client
        self.is_started = False  # True once journal and status are known: other parts may ask then
        self.status: Any = None
        self.counters: dict[str, int] = {}
        self._store = store
        self._derive = derive
        self._listener = listener
        self._verifier = verifier
        self._board: Clock = board_clock
        self._link: Clock = link_clock or RealClock()
        self._heartbeat_s = heartbeat_s
        self._reception = Reception(
            store, client, derive=derive, listener=listener, board_clock=self._board, link_clock=self._link,
            counters=self.counters,
        )  # fmt: skip
        self._time = TimeSync(store, client, board_clock, host_bound_ms, self._count)
        self._missed = 0  # messages that are known to be lost on the link

    @property
    def journal(self) -> Journal | None:
        """The journal in session; None before it is known and for a wearable that has none."""
        return self._reception.journal

    @property
    def head_seq(self) -> int:
        """The last sequence that the wearable said it has."""
        return self._reception.head_seq

    @property
    def is_caught_up(self) -> bool:
        """Whether everything that the wearable said it has is stored."""
        return self._reception.is_caught_up

    @property
    def device_id(self) -> bytes:
        """The wearable in session."""
        return bytes(self.client.peer.device_id)

    async def run(self) -> None:
        """Sync until the session ends; raises LinkError, ProtocolError, or at the start StoreError."""
        self.client.start()
        tasks: list[asyncio.Task[None]] = []
        try:
            await self._start()
            jobs = [self._dispatch(), self._keep_alive(), self._each(TIME_EVERY_S, self._keep_marks)]
            jobs += [self._each(STATUS_EVERY_S, lambda: self.client.send(wire.StatusAsk()))]
            if self.journal is not None and self.journal.id:
                jobs += [self._reception.run(), self._verify_loop()]
            elif self._reception.failure is not None:
                jobs += [self._until_stored()]
            tasks = [asyncio.create_task(job) for job in jobs]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # raises what ended it
        finally:
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)
            await self.client.close()

    async def _start(self) -> None:
        status = await self._ask_status()
        self._reception.head_seq = status.head_seq
        peer = self.client.peer
        # zeros: it runs without a journal and says so by an alarm of its own
        if peer.journal_id == NO_BINDING:
            try:
                await self._begin(begin_without_journal, status)
            except StoreError as error:
                self._reception.failure = error
            self._started(None, status)
            return
        try:
            begun: Begun = await self._begin(begin, status)
        except StoreError as error:
            begun, self._reception.failure = await begun_in_memory(self._store, peer, status), error
            if not begun.journal.id and begun.journal.binding is None:
                raise
            self._listener.on_unstored(begun.journal, [], error)
        self._reception.coverage = begun.coverage
        self._started(begun.journal, status)
        await self._keep_marks()
        await self._reception.read_from(begun.read_from)

    async def _until_stored(self) -> None:
        """While no row stands for the journal: alarm from memory, then begin anew."""
        how: Callable[..., Any] = begin if self.journal is not None else begin_without_journal
        journal = self.journal or begin_in_memory(None, peer=self.client.peer, status=self.status).journal
        await until_begun(
            lambda failure: self._begin(partial(how, failure=failure), self.status), self._reception.failure,
            waiting=lambda: self._reception.waiting(journal), alarm=partial(self._listener.on_unstored, journal),
            link=self._link, arrived=self._reception.arrived, pauses_s=store_pauses_s(),
        )  # fmt: skip
        self._listener.on_store_back(journal)
        raise SessionClosed("the store accepts writes again")

    async def _begin(self, how: Callable[..., Any], status: Any) -> Any:
        """Run one of begin.py's transactions."""
        name = self.client.key.name if self.client.key else ""
        how = partial(how, peer=self.client.peer, status=status, name=name, utc_ms=self._board.utc_ms())
        return await self._store.write(lambda tx: how(tx, self._derive))

    def _started(self, journal: Journal | None, status: Any) -> None:
        self._reception.journal = journal
        self.status = status
        self.is_started = True
        self._listener.on_open(self.device_id, journal, status)

    async def _ask_status(self) -> Any:
        """Ask up to three times: noise may destroy a frame, and asking again is harmless."""
        for _ in range(_ASK_TRIES - 1):
            with contextlib.suppress(AnswerTimeout):
                return await self.client.ask(wire.StatusAsk(), wire.StatusIs, _ASK_DEADLINE_S)
        return await self.client.ask(wire.StatusAsk(), wire.StatusIs, _ASK_DEADLINE_S)

    def _count(self, name: str) -> None:
        self.counters[name] = self.counters.get(name, 0) + 1

    async def _dispatch(self) -> None:
        while True:
            message = await self.client.next_message()
            try:
                await self._take(message)
            except HostAgentError:
                raise
            except Exception as error:  # a message harms only itself
                _LOG.exception("a message of type %s cannot be handled", type(message).__name__)
                self._listener.on_not_understood(self.device_id, type(error).__name__, may_alarm(message))

    async def _take(self, message: Any) -> None:
        kind = type(message)
        if kind in (wire.Block, wire.Gap, wire.CaughtUp):
            self._reception.take(message)
        elif kind is wire.Live:
            self._listener.on_live(self.device_id, message)
        elif kind is wire.Alarm:
            self._reception.expect(message.seq)
            self._listener.on_doorbell(self.device_id, message)
        elif kind is wire.StatusIs:
            self.status = message
            self._listener.on_status(self.device_id, message)
        elif kind is wire.TimeIs:  # it came after its request had timed out
            await self._time.late(self.journal, message)
        elif kind is wire.Unknown and self.client.refused:
            self._count("refused")
            self._listener.on_not_understood(self.device_id, *self.client.refused.popleft())
        elif kind is not wire.Pong:
            self._count("skipped")

    async def _keep_alive(self) -> None:
        """PING each heartbeat of board time; TransportLost after 3 heartbeats and 5 real seconds without a message."""
        interval_s = self._heartbeat_s / self._board.speed
        token = 0
        while True:
            await self._link.sleep(interval_s)
            silent_s = self._link.monotonic() - self.client.last_heard_s
            if silent_s > max(MISSES * interval_s, SILENCE_S):
                raise TransportLost(f"{self.client.transport.name}: nothing heard for {silent_s:.0f} s")
            token = token + 1 & 0xFFFFFFFF
            await self.client.send(wire.Ping(token))
            if self._time.clock_was_set:
                self._count("clock_was_set")
                await self._keep_marks()
            missed = self.client.counters().get("missed", 0)
            # the lost messages may have been records and the CAUGHT_UP after them
            if missed != self._missed:
                self._missed = missed
                self._reception.is_caught_up = False
            await self._reception.read_what_is_missing()

    async def _each(self, every_s: float, job: Callable[[], Any]) -> None:
        while True:
            await self._board.sleep(every_s)
            await job()

    async def _keep_marks(self) -> None:
        await self._time.exchange(self.journal)

    def _verify_loop(self) -> Coroutine[Any, Any, None]:
        return verify_behind(
            self._verifier, self._store, self._derive, self._reception.stored,
            lambda: (self.journal, self._board.utc_ms()),
        )  # fmt: skip
