"""Pulls one wearable's journal into the store: READ_FROM(cursor) -> BLOCK, GAP -> one transaction -> ACK.

The acknowledgement goes out only after COMMIT. A kill at any moment loses nothing: what was not committed was not
acknowledged and comes again, what was committed twice is the same row. When the store fails, nothing is
acknowledged, the listener gets the records to alarm from memory, and they are tried again.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from crs_core.wire import message as wire

from host_agent.clock import Clock, RealClock, sleep_or_event
from host_agent.errors import AnswerTimeout, HostAgentError, SessionClosed, StoreError, TransportLost
from host_agent.store.coverage import Coverage
from host_agent.store.db import Store
from host_agent.store.insertion import IncomingBlock, IncomingGap, Inserted
from host_agent.store.journals import NO_BINDING
from host_agent.store.rows import Derivation, Journal
from host_agent.sync.begin import Begun, begin, begin_in_memory, begin_without_journal
from host_agent.sync.client import DeviceClient
from host_agent.sync.commit import commit_records
from host_agent.sync.intake import unpack
from host_agent.sync.listener import SyncListener
from host_agent.sync.refusal import may_alarm
from host_agent.sync.time_sync import TimeSync
from host_agent.sync.verify import Verifier, verify_behind
from host_agent.sync.without_row import begun_in_memory, until_begun

_LOG = logging.getLogger(__name__)
WINDOW = 8  # messages in flight; a bounded share of the wearable's and our memory
MAX_BYTES = 2048
HEARTBEAT_S = 15.0  # board time
MISSES = 3
SILENCE_S = 5.0  # real: shortest time that a link gets to answer, however fast a simulation runs
LINGER_S = 0.05  # longest wait of readings for half a window; events never wait
BATCH_MESSAGES = 64
_ASK_TRIES = 3
_ASK_DEADLINE_S = 2.0
_PENDING_MAX = 2 * BATCH_MESSAGES
_STORE_RETRY_FIRST_S = 0.5
_STORE_RETRY_MAX_S = 15.0
REREAD_S = 5.0  # real: the host asks again when the unbroken run has not grown for so long
FORK_READS, FORK_READS_S = 4, 60.0  # real: so many forks within this time are read at once
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
        self.journal: Journal | None = None
        self.status: Any = None
        self.head_seq = 0
        self.is_caught_up = False
        self.counters: dict[str, int] = {}
        self._store = store
        self._derive = derive
        self._listener = listener
        self._verifier = verifier
        self._board: Clock = board_clock
        self._link: Clock = link_clock or RealClock()
        self._heartbeat_s = heartbeat_s
        self._coverage = Coverage()
        self._received = 0  # BLOCK and GAP messages committed in this session
        self._pending: list[Any] = []
        self._has_pending = asyncio.Event()
        self._commit_now = asyncio.Event()  # what is pending must not wait for more
        self._arrived = asyncio.Event()  # a BLOCK or GAP since the store last failed
        self._verify_due = asyncio.Event()
        self._progress_s = self._link.monotonic()
        self._fork_reads_s: deque[float] = deque(maxlen=FORK_READS)  # when forks were last read at once
        self._begin_failure: StoreError | None = None  # why the store took nothing at this session's start
        self._time = TimeSync(store, client, board_clock, host_bound_ms, self._count)
        self._missed = 0  # messages that are known to be lost on the link

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
                jobs += [self._commit_loop(), self._verify_loop()]
            elif self._begin_failure is not None:
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
        peer = self.client.peer
        self.head_seq = status.head_seq
        # zeros: it runs without a journal and says so by an alarm of its own
        if peer.journal_id == NO_BINDING:
            try:
                await self._begin(begin_without_journal, status)
            except StoreError as error:
                self._begin_failure = error
            self._started(None, status)
            return
        try:
            begun: Begun = await self._begin(begin, status)
        except StoreError as error:
            begun, self._begin_failure = await begun_in_memory(self._store, peer, status), error
            if not begun.journal.id and begun.journal.binding is None:
                raise
            self._listener.on_unstored(begun.journal, [], error)
        self._coverage = begun.coverage
        self._started(begun.journal, status)
        await self._keep_marks()
        await self.client.send(wire.ReadFrom(begun.read_from, WINDOW, MAX_BYTES))
        self._verify_due.set()

    async def _until_stored(self) -> None:
        """While no row stands for the journal: alarm from memory, then begin anew."""
        how: Callable[..., Any] = begin if self.journal is not None else begin_without_journal
        journal = self.journal or begin_in_memory(None, peer=self.client.peer, status=self.status).journal
        await until_begun(
            lambda failure: self._begin(partial(how, failure=failure), self.status), self._begin_failure,
            waiting=lambda: self._waiting(journal), alarm=partial(self._listener.on_unstored, journal),
            link=self._link, arrived=self._arrived, pauses_s=(_STORE_RETRY_FIRST_S, _STORE_RETRY_MAX_S),
        )  # fmt: skip
        self._listener.on_store_back(journal)
        raise SessionClosed("the store accepts writes again")

    async def _begin(self, how: Callable[..., Any], status: Any) -> Any:
        """Run one of begin.py's transactions."""
        name = self.client.key.name if self.client.key else ""
        how = partial(how, peer=self.client.peer, status=status, name=name, utc_ms=self._board.utc_ms())
        return await self._store.write(lambda tx: how(tx, self._derive))

    def _started(self, journal: Journal | None, status: Any) -> None:
        self.journal = journal
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
        if kind in (wire.Block, wire.Gap):
            self._pend(message)
            self._arrived.set()
        elif kind is wire.Live:
            self._listener.on_live(self.device_id, message)
        elif kind is wire.Alarm:
            if message.seq > self._coverage.prefix:
                self.is_caught_up = False  # should its record not come, `_keep_alive` asks for it
            self._listener.on_doorbell(self.device_id, message)
        elif kind is wire.CaughtUp:
            self._pend(message)
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

    async def _commit_loop(self) -> None:
        while True:
            await self._has_pending.wait()
            if not (self.is_caught_up or self._commit_now.is_set()):
                await sleep_or_event(self._link, LINGER_S, self._commit_now)
            batch, self._pending = self._pending[:BATCH_MESSAGES], self._pending[BATCH_MESSAGES:]
            if not self._pending:
                self._has_pending.clear()
                self._commit_now.clear()
            messages = [m for m in batch if not isinstance(m, wire.CaughtUp)]
            if messages:
                await self._commit(messages)
            for message in batch:
                if isinstance(message, wire.CaughtUp):
                    await self._caught_up(message.head_seq)

    def _pend(self, message: Any) -> None:
        """Leave a message to the commit loop; events, half a window of readings, and anything by radio wake it."""
        # A wearable that ignores its window: what is too much is read again later.
        if len(self._pending) >= _PENDING_MAX:
            self._count("beyond_window")
            self.is_caught_up = False
            return
        self._pending.append(message)
        self._has_pending.set()
        is_readings = isinstance(message, wire.Block) and (message.data[1:2] or b"\x00")[0] & 15 == 1
        # two are in flight by radio: never delay a message to fill a batch
        is_radio = self.client.transport.fragment_bytes is not None
        if not is_readings or is_radio or len(self._pending) >= WINDOW // 2:
            self._commit_now.set()

    async def _commit(self, messages: list[Any]) -> None:
        assert self.journal is not None
        items: list[IncomingBlock | IncomingGap] = []
        for message in messages:
            items += unpack(message, self.journal.journal_id, self.counters)
        inserted = await self._write(items)
        if inserted.coverage.prefix > self._coverage.prefix:
            self._progress_s = self._link.monotonic()
        self.journal = inserted.journal
        self._coverage = inserted.coverage
        self._received += len(messages)
        self._listener.on_committed(inserted.journal, inserted)
        await self.client.send(wire.Ack(self._coverage.prefix, self._received))
        if inserted.forks:
            # Its new branch is read anew. A wearable that forks again and again is asked by `_keep_alive`.
            self.is_caught_up = False
            now_s = self._link.monotonic()
            if len(self._fork_reads_s) < FORK_READS or now_s - self._fork_reads_s[0] >= FORK_READS_S:
                self._fork_reads_s.append(now_s)
                await self._read_again()
        self._verify_due.set()

    async def _write(self, items: list[IncomingBlock | IncomingGap]) -> Inserted:
        """Commit, however long it takes: a store that fails is tried again, and nothing is acknowledged meanwhile."""
        pause_s = _STORE_RETRY_FIRST_S
        failure, self._begin_failure = self._begin_failure, None
        assert self.journal is not None
        journal, coverage = self.journal, self._coverage
        while True:
            insert = partial(
                commit_records, derive=self._derive, journal=journal, coverage=coverage, items=items,
                failure=failure, now_ms=self._board.utc_ms,
            )  # fmt: skip
            try:
                inserted = await self._store.write(insert)
            except StoreError as error:
                failure = error
                self._arrived.clear()
                # an alarm in what came meanwhile must not wait for the disk either
                self._listener.on_unstored(journal, items + self._waiting(journal), error)
                await sleep_or_event(self._link, pause_s, self._arrived)
                pause_s = min(pause_s * 2, _STORE_RETRY_MAX_S)
            else:
                if failure is not None:
                    self._listener.on_store_back(inserted.journal)
                return inserted

    def _waiting(self, journal: Journal) -> list[IncomingBlock | IncomingGap]:
        messages = [m for m in self._pending if not isinstance(m, wire.CaughtUp)]
        return [item for message in messages for item in unpack(message, journal.journal_id, {})]

    async def _caught_up(self, head_seq: int) -> None:
        assert self.journal is not None
        self.head_seq = head_seq
        if self._coverage.prefix >= head_seq:
            self.is_caught_up = True
            self._listener.on_caught_up(self.journal)
        else:
            # a message was lost on the link: `_keep_alive` asks again after a pause
            self.is_caught_up = False

    async def _read_again(self) -> None:
        self._progress_s = self._link.monotonic()
        await self.client.send(wire.ReadFrom(self._coverage.prefix + 1, WINDOW, MAX_BYTES))

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
                self.is_caught_up = False
            quiet_s = self._link.monotonic() - self._progress_s
            if (
                self.journal is not None
                and not self.is_caught_up
                and quiet_s > REREAD_S
                and not self._pending
            ):
                self._count("read_again")
                await self._read_again()

    async def _each(self, every_s: float, job: Callable[[], Any]) -> None:
        while True:
            await self._board.sleep(every_s)
            await job()

    async def _keep_marks(self) -> None:
        await self._time.exchange(self.journal)

    def _verify_loop(self) -> Coroutine[Any, Any, None]:
        return verify_behind(
            self._verifier, self._store, self._derive, self._verify_due, lambda: (self.journal, self._board.utc_ms())
        )  # fmt: skip
