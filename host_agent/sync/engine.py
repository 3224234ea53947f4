"""Pulls one wearable's journal into the store: READ_FROM(cursor) -> BLOCK, GAP -> one transaction -> ACK.

The acknowledgement goes out only after COMMIT. A kill at any moment loses nothing: what was not committed was not
acknowledged and comes again, what was committed twice is the same row. When the store fails, nothing is
acknowledged, the listener hears of it (to alarm from memory), and the same records are tried again.
"""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from typing import Any

from crs_core import codes
from crs_core.wire import message as wire

from host_agent.clock import Clock, RealClock, sleep_or_event
from host_agent.errors import AnswerTimeout, StoreError, TransportLost
from host_agent.store.coverage import Coverage
from host_agent.store.db import Store, Tx
from host_agent.store.host_alarms import end_alarm, raise_alarm
from host_agent.store.journals import NO_BINDING, count, journal_by_id
from host_agent.store.records import IncomingBlock, IncomingGap, Inserted, Insertion
from host_agent.store.rows import Derivation, Journal
from host_agent.sync.begin import Begun, begin, begin_unstored, begin_without_journal
from host_agent.sync.client import DeviceClient
from host_agent.sync.intake import unpack
from host_agent.sync.listener import SyncListener
from host_agent.sync.time_sync import LiveMark, exchange_time, late_mark
from host_agent.sync.verify import Verifier

WINDOW = 8  # messages in flight; a bounded share of the wearable's and our memory
MAX_BYTES = 2048
HEARTBEAT_S = 15.0  # board time
MISSES = 3
SILENCE_S = 5.0  # real: however fast a simulation runs, a link gets so long to answer
LINGER_S = 0.05  # readings of a backlog wait at most so long for half a window; events never do
BATCH_MESSAGES = 64
REREAD_S = 5.0  # real: something is missing and the prefix has not advanced, whatever else came
TIME_EVERY_S = 3600.0  # board time
STATUS_EVERY_S = 600.0  # board time; of the battery, so that its fall is known
_STORE_RETRY_FIRST_S = 0.5
_STORE_RETRY_MAX_S = 15.0
_VERIFY_CHUNK = 300  # sequences; some milliseconds, so that an alarm's commit never waits long
_ASK_TRIES = 3
_ASK_DEADLINE_S = 2.0


class SyncEngine:
    """One session's worth of syncing. `run()` ends only by raising what ended the session."""

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
        self.is_started = False  # journal and status are known: requests of other parts may begin
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
        self._host_bound_ms = host_bound_ms
        self._coverage = Coverage()
        self._received = 0  # BLOCK and GAP messages committed in this session
        self._pending: list[Any] = []
        self._has_pending = asyncio.Event()
        self._is_worth = asyncio.Event()  # what is pending need not wait for company
        self._arrived = asyncio.Event()  # a BLOCK or GAP since the store last failed
        self._verify_due = asyncio.Event()
        self._progress_s = self._link.monotonic()
        self._begin_failure: StoreError | None = None  # the store took nothing at the start of this session
        self._missed = 0  # messages of the wearable that the line is known to have lost

    @property
    def device_id(self) -> bytes:
        """The wearable in session."""
        return bytes(self.client.peer.device_id)

    async def run(self) -> None:
        """Sync until the session ends; raises LinkError, ProtocolError or StoreError (at the start only)."""
        self.client.start()
        tasks: list[asyncio.Task[None]] = []
        try:
            await self._start()
            jobs = [self._dispatch(), self._keep_alive(), self._each(TIME_EVERY_S, self._keep_marks)]
            jobs += [self._each(STATUS_EVERY_S, lambda: self.client.send(wire.StatusAsk()))]
            if self.journal is not None:
                jobs += [self._commit_loop(), self._verify_loop()]
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
        if (
            peer.journal_id == NO_BINDING
        ):  # zeros: it runs without a journal and says so by an alarm of its own
            with contextlib.suppress(StoreError):
                await self._begin(begin_without_journal, status)
            self._started(None, status)
            return
        try:
            begun: Begun = await self._begin(begin, status)
        except StoreError as error:
            known = await self._store.read(lambda tx: begin_unstored(tx, peer=peer, status=status))
            if known is None:
                raise
            begun, self._begin_failure = known, error
            self._listener.on_unstored(known.journal, [], error)
        self._coverage = begun.coverage
        self._started(begun.journal, status)
        await self._keep_marks()
        await self.client.send(wire.ReadFrom(begun.read_from, WINDOW, MAX_BYTES))
        self._verify_due.set()

    async def _begin(self, how: Callable[..., Any], status: Any) -> Any:
        """Run one of begin.py's transactions."""
        key = self.client.key
        context = {
            "peer": self.client.peer,
            "status": status,
            "name": key.name if key else "",
            "utc_ms": self._board.utc_ms(),
        }
        return await self._store.write(lambda tx: how(tx, self._derive, **context))

    def _started(self, journal: Journal | None, status: Any) -> None:
        self.journal = journal
        self.status = status  # set last: others take an engine with a status as ready
        self.is_started = True
        self._listener.on_open(self.device_id, journal, status)

    async def _ask_status(self) -> Any:
        """A frame may be lost to noise: asking is harmless, so ask again."""
        for _ in range(_ASK_TRIES - 1):
            with contextlib.suppress(AnswerTimeout):
                return await self.client.ask(wire.StatusAsk(), wire.StatusIs, _ASK_DEADLINE_S)
        return await self.client.ask(wire.StatusAsk(), wire.StatusIs, _ASK_DEADLINE_S)

    # -- incoming --------------------------------------------------------------------------------------------------

    async def _dispatch(self) -> None:
        while True:
            message = await self.client.next_message()
            kind = type(message)
            if kind in (wire.Block, wire.Gap):
                self._pend(message)
                self._arrived.set()
            elif kind is wire.Live:
                self._listener.on_live(self.device_id, message)
            elif kind is wire.Alarm:
                if message.seq > self._coverage.prefix:
                    self.is_caught_up = False  # its record is on the way; `_keep_alive` asks when it is not
                self._listener.on_doorbell(self.device_id, message)
            elif kind is wire.CaughtUp:
                self._pend(message)
            elif kind is wire.StatusIs:
                self.status = message
                self._listener.on_status(self.device_id, message)
            elif kind is wire.TimeIs:  # nobody waits for it any more
                await self._store_mark(late_mark(message, self._board, self._host_bound_ms))
            elif kind is not wire.Pong:
                self.counters["skipped"] = self.counters.get("skipped", 0) + 1

    # -- committing ------------------------------------------------------------------------------------------------

    async def _commit_loop(self) -> None:
        while True:
            await self._has_pending.wait()
            if not (self.is_caught_up or self._is_worth.is_set()):
                await sleep_or_event(self._link, LINGER_S, self._is_worth)
            batch, self._pending = self._pending[:BATCH_MESSAGES], self._pending[BATCH_MESSAGES:]
            if not self._pending:
                self._has_pending.clear()
                self._is_worth.clear()
            messages = [m for m in batch if not isinstance(m, wire.CaughtUp)]
            if messages:
                await self._commit(messages)
            for message in batch:
                if isinstance(message, wire.CaughtUp):
                    await self._caught_up(message.head_seq)

    def _pend(self, message: Any) -> None:
        """Leave it to the commit loop; all but readings, half a window, and anything by radio wake it."""
        self._pending.append(message)
        self._has_pending.set()
        is_readings = isinstance(message, wire.Block) and (message.data[1:2] or b"\x00")[0] & 15 == 1
        is_radio = (
            self.client.transport.fragment_bytes is not None
        )  # two in flight: none may wait for company
        if not is_readings or is_radio or len(self._pending) >= WINDOW // 2:
            self._is_worth.set()

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
            self.is_caught_up = False
            await self._read_again()
        self._verify_due.set()

    async def _write(self, items: list[IncomingBlock | IncomingGap]) -> Inserted:
        """Commit, however long it takes: a failing store is retried and nothing is acknowledged meanwhile."""
        pause_s = _STORE_RETRY_FIRST_S
        failure, self._begin_failure = self._begin_failure, None
        assert self.journal is not None
        journal, coverage = self.journal, self._coverage
        while True:
            insert = partial(self._insert, journal=journal, coverage=coverage, items=items, failure=failure)
            try:
                inserted = await self._store.write(insert)
            except StoreError as error:
                failure = error
                self._arrived.clear()
                # what came meanwhile too: an alarm in it must not wait for the disk either
                self._listener.on_unstored(journal, items + self._waiting(journal), error)
                await sleep_or_event(
                    self._link, pause_s, self._arrived
                )  # not past the arrival of more records
                pause_s = min(pause_s * 2, _STORE_RETRY_MAX_S)
            else:
                if failure is not None:
                    self._listener.on_store_back(inserted.journal)
                return inserted

    def _waiting(self, journal: Journal) -> list[IncomingBlock | IncomingGap]:
        messages = [m for m in self._pending if not isinstance(m, wire.CaughtUp)]
        return [item for message in messages for item in unpack(message, journal.journal_id, {})]

    def _insert(
        self,
        tx: Tx,
        *,
        journal: Journal,
        coverage: Coverage,
        items: list[IncomingBlock | IncomingGap],
        failure: StoreError | None,
    ) -> Inserted:
        """In the writer thread: the records, what is derived from them, and the host's own findings."""
        utc_ms = self._board.utc_ms()
        # the binding may have become known since the session began
        insertion = Insertion(tx, journal_by_id(tx, journal.id), coverage, utc_ms)
        for item in items:
            if isinstance(item, IncomingGap):
                insertion.gap(item)
            else:
                insertion.block(item)
        inserted = insertion.finish()
        device = journal.device
        if inserted.journal.binding is not None:
            self._derive.records(tx, inserted.journal, inserted.records)
        for fork in inserted.forks:
            raise_alarm(
                tx, self._derive, device=device, alarm=codes.FORK, priority=codes.PRIORITY_HIGH,
                detail=f"sequences {fork.first_seq} to {fork.last_seq} came with other contents; both are kept",
                utc_ms=utc_ms,
            )  # fmt: skip
        if failure is not None:  # leave a trace of the time when nothing could be stored
            count(tx, None, f"failed_{failure.code}")
            raise_alarm(
                tx, self._derive, device=None, alarm=codes.STORE_FAULT, priority=codes.PRIORITY_HIGH,
                detail=str(failure), utc_ms=utc_ms,
            )  # fmt: skip
            end_alarm(tx, self._derive, device=None, alarm=codes.STORE_FAULT, utc_ms=utc_ms)
        return inserted

    async def _caught_up(self, head_seq: int) -> None:
        assert self.journal is not None
        self.head_seq = head_seq
        if self._coverage.prefix >= head_seq:
            self.is_caught_up = True
            self._listener.on_caught_up(self.journal)
        else:
            self.is_caught_up = False  # `_keep_alive` asks again after a pause: a message was lost on the way

    async def _read_again(self) -> None:
        self._progress_s = self._link.monotonic()
        await self.client.send(wire.ReadFrom(self._coverage.prefix + 1, WINDOW, MAX_BYTES))

    # -- keeping up ------------------------------------------------------------------------------------------------

    async def _keep_alive(self) -> None:
        """PING each heartbeat of board time; lost after 3 without an authenticated message, and 5 real seconds."""
        interval_s = self._heartbeat_s / self._board.speed
        token = 0
        while True:
            await self._link.sleep(interval_s)
            silent_s = self._link.monotonic() - self.client.last_heard_s
            if silent_s > max(MISSES * interval_s, SILENCE_S):
                raise TransportLost(f"{self.client.transport.name}: nothing heard for {silent_s:.0f} s")
            token = token + 1 & 0xFFFFFFFF
            await self.client.send(wire.Ping(token))
            missed = self.client.counters().get("missed", 0)
            if missed != self._missed:  # what was lost may have been records and the CAUGHT_UP after them
                self._missed = missed
                self.is_caught_up = False
            quiet_s = self._link.monotonic() - self._progress_s
            if (
                self.journal is not None
                and not self.is_caught_up
                and quiet_s > REREAD_S
                and not self._pending
            ):
                self.counters["read_again"] = self.counters.get("read_again", 0) + 1
                await self._read_again()

    async def _each(self, every_s: float, job: Callable[[], Any]) -> None:
        while True:
            await self._board.sleep(every_s)
            await job()

    async def _keep_marks(self) -> None:
        """Tell the wearable the time and keep the round trip as a mark; without an answer the session goes on."""
        try:
            mark = await exchange_time(self.client, self._board, self._host_bound_ms)
        except AnswerTimeout:
            self.counters["time_unanswered"] = self.counters.get("time_unanswered", 0) + 1
            return
        await self._store_mark(mark)

    async def _store_mark(self, mark: LiveMark) -> None:
        journal = self.journal
        if journal is None:
            return
        row = (journal.device, mark.boot, mark.t_ms, mark.source, mark.utc_ms, mark.bound_ms)
        try:
            await self._store.write(
                lambda tx: tx.execute(
                    "INSERT INTO time_marks VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                    " utc_ms = excluded.utc_ms, bound_ms = max(bound_ms, excluded.bound_ms)",
                    row,
                )
            )
        except StoreError:
            self.counters["mark_unstored"] = self.counters.get("mark_unstored", 0) + 1

    async def _verify_loop(self) -> None:
        """Re-run the wearable's decisions behind the commits; a store that fails is tried again at the next one."""
        while True:
            await self._verify_due.wait()
            self._verify_due.clear()
            journal = self.journal
            if journal is None or journal.binding is None:
                continue
            try:
                more = await self._store.write(partial(self._verify, journal.id))
            except StoreError:
                self.counters["verify_unstored"] = self.counters.get("verify_unstored", 0) + 1
                continue
            if more:
                self._verify_due.set()

    def _verify(self, journal: int, tx: Tx) -> bool:
        """In the writer thread."""
        return self._verifier.advance(
            tx, self._derive, journal, utc_ms=self._board.utc_ms(), limit=_VERIFY_CHUNK
        )
