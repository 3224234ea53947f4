"""The records of one session on their way into the store: what came is committed in batches, then acknowledged.

A store that fails is tried again. Meanwhile nothing is acknowledged, and the listener gets the records to alarm from
memory. What was lost on the link, or came from another story of the same journal, is read again, at a bounded pace.
"""

import asyncio
from collections import deque
from functools import partial
from typing import Any

from crs_core.wire import message as wire

from host_agent.clock import Clock, sleep_or_event
from host_agent.errors import StoreError
from host_agent.store.coverage import Coverage
from host_agent.store.db import Store
from host_agent.store.insertion import IncomingBlock, IncomingGap, Inserted
from host_agent.store.rows import Derivation, Journal
from host_agent.sync.client import DeviceClient
from host_agent.sync.commit import commit_records
from host_agent.sync.intake import unpack
from host_agent.sync.listener import SyncListener

WINDOW = 8  # messages in flight; a bounded share of the wearable's and our memory
MAX_BYTES = 2048
LINGER_S = 0.05  # longest wait of readings for half a window; events never wait
BATCH_MESSAGES = 64
REREAD_S = 5.0  # real: the host asks again when the unbroken run has not grown for so long
FORK_READS, FORK_READS_S = 4, 60.0  # real: so many forks within this time are read at once
_PENDING_MAX = 2 * BATCH_MESSAGES
_STORE_RETRY_FIRST_S = 0.5
_STORE_RETRY_MAX_S = 15.0


def store_pauses_s() -> tuple[float, float]:
    """The first and the longest pause before a store that failed is tried again, real seconds."""
    return _STORE_RETRY_FIRST_S, _STORE_RETRY_MAX_S


class Reception:
    """For one session. `journal` and `coverage` are set when the session begins, and `failure` when the store took
    nothing then; `stored` is set after each commit, `arrived` by each BLOCK or GAP."""

    def __init__(
        self,
        store: Store,
        client: DeviceClient,
        *,
        derive: Derivation,
        listener: SyncListener,
        board_clock: Clock,
        link_clock: Clock,
        counters: dict[str, int],
    ) -> None:
        """`counters` counts what is unusual, by name."""
        self.journal: Journal | None = None
        self.coverage = Coverage()
        self.failure: StoreError | None = None
        self.is_caught_up = False
        self.head_seq = 0  # as the wearable said last
        self.stored = asyncio.Event()
        self.arrived = asyncio.Event()
        self._store, self._client, self._derive, self._listener = store, client, derive, listener
        self._board, self._link, self._counters = board_clock, link_clock, counters
        self._received = 0  # BLOCK and GAP messages committed in this session
        self._pending: list[Any] = []
        self._has_pending = asyncio.Event()
        self._commit_now = asyncio.Event()  # what is pending must not wait for more
        self._progress_s = link_clock.monotonic()
        self._fork_reads_s: deque[float] = deque(maxlen=FORK_READS)  # when forks were last read at once

    async def read_from(self, seq: int) -> None:
        """Ask for everything from this sequence on."""
        await self._client.send(wire.ReadFrom(seq, WINDOW, MAX_BYTES))
        self.stored.set()

    def expect(self, seq: int) -> None:
        """The wearable has this record; should it not come, `read_what_is_missing` asks for it."""
        if seq > self.coverage.prefix:
            self.is_caught_up = False

    async def run(self) -> None:
        """Commit what came, in batches, until cancelled."""
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

    def take(self, message: Any) -> None:
        """Leave BLOCK, GAP or CAUGHT_UP to `run`; events, half a window of readings, and anything by radio wake it."""
        if not isinstance(message, wire.CaughtUp):
            self.arrived.set()
        # A wearable that ignores its window: what is too much is read again later.
        if len(self._pending) >= _PENDING_MAX:
            self._count("beyond_window")
            self.is_caught_up = False
            return
        self._pending.append(message)
        self._has_pending.set()
        is_readings = isinstance(message, wire.Block) and (message.data[1:2] or b"\x00")[0] & 15 == 1
        # two are in flight by radio: never delay a message to fill a batch
        is_radio = self._client.transport.fragment_bytes is not None
        if not is_readings or is_radio or len(self._pending) >= WINDOW // 2:
            self._commit_now.set()

    async def _commit(self, messages: list[Any]) -> None:
        assert self.journal is not None
        items: list[IncomingBlock | IncomingGap] = []
        for message in messages:
            items += unpack(message, self.journal.journal_id, self._counters)
        inserted = await self._write(items)
        if inserted.coverage.prefix > self.coverage.prefix:
            self._progress_s = self._link.monotonic()
        self.journal = inserted.journal
        self.coverage = inserted.coverage
        self._received += len(messages)
        self._listener.on_committed(inserted.journal, inserted)
        await self._client.send(wire.Ack(self.coverage.prefix, self._received))
        if inserted.forks:
            # Its new branch is read anew. A wearable that forks again and again is asked by `read_what_is_missing`.
            self.is_caught_up = False
            now_s = self._link.monotonic()
            if len(self._fork_reads_s) < FORK_READS or now_s - self._fork_reads_s[0] >= FORK_READS_S:
                self._fork_reads_s.append(now_s)
                await self._read_again()
        self.stored.set()

    async def _write(self, items: list[IncomingBlock | IncomingGap]) -> Inserted:
        """Commit, however long it takes: a store that fails is tried again, and nothing is acknowledged meanwhile."""
        pause_s = _STORE_RETRY_FIRST_S
        failure, self.failure = self.failure, None
        assert self.journal is not None
        journal, coverage = self.journal, self.coverage
        while True:
            insert = partial(
                commit_records, derive=self._derive, journal=journal, coverage=coverage, items=items,
                failure=failure, now_ms=self._board.utc_ms,
            )  # fmt: skip
            try:
                inserted = await self._store.write(insert)
            except StoreError as error:
                failure = error
                self.arrived.clear()
                # an alarm in what came meanwhile must not wait for the disk either
                self._listener.on_unstored(journal, items + self.waiting(journal), error)
                await sleep_or_event(self._link, pause_s, self.arrived)
                pause_s = min(pause_s * 2, _STORE_RETRY_MAX_S)
            else:
                if failure is not None:
                    self._listener.on_store_back(inserted.journal)
                return inserted

    def waiting(self, journal: Journal) -> list[IncomingBlock | IncomingGap]:
        """What came and is not committed yet."""
        messages = [m for m in self._pending if not isinstance(m, wire.CaughtUp)]
        return [item for message in messages for item in unpack(message, journal.journal_id, {})]

    async def _caught_up(self, head_seq: int) -> None:
        assert self.journal is not None
        self.head_seq = head_seq
        if self.coverage.prefix >= head_seq:
            self.is_caught_up = True
            self._listener.on_caught_up(self.journal)
        else:
            # a message was lost on the link: `read_what_is_missing` asks again after a pause
            self.is_caught_up = False

    async def read_what_is_missing(self) -> None:
        """Ask again, when the unbroken run has not grown for a while and something is known to be missing."""
        quiet_s = self._link.monotonic() - self._progress_s
        if self.journal is not None and not self.is_caught_up and quiet_s > REREAD_S and not self._pending:
            self._count("read_again")
            await self._read_again()

    async def _read_again(self) -> None:
        self._progress_s = self._link.monotonic()
        await self._client.send(wire.ReadFrom(self.coverage.prefix + 1, WINDOW, MAX_BYTES))

    def _count(self, name: str) -> None:
        self._counters[name] = self._counters.get(name, 0) + 1
