"""A process to be traced: a fake wearable, the real engine and the real store, until everything is acknowledged.

Run: python -m tests.fakes.traced_ingest DATABASE FLASH MARKS [sabotage]. Before an acknowledgement leaves, its sequence
is written to MARKS as a line. It ends without closing the store, as a kill does. `sabotage` takes one safeguard away:
`ack_first` acknowledges before the commit, `no_fsync` lets SQLite commit without waiting for the disk.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from crs_core.journal import record_types
from crs_core.wire import message as wire

from host_agent.clock import RealClock
from host_agent.store.db import Store
from host_agent.store.insertion import IncomingBlock
from host_agent.store.rows import Derivation
from host_agent.sync.client import DeviceClient
from host_agent.sync.engine import SyncEngine
from host_agent.sync.intake import unpack
from host_agent.sync.listener import SyncListener
from host_agent.sync.reception import Reception
from host_agent.sync.verify import Verifier
from tools.rig.protocol_wearable import FakeDevice, Pipe, host_key, serving

ROUNDS = 14
CHECKPOINT_PAGES = 30  # few, so that some dozens of commits meet several checkpoints


def ack_first() -> None:
    """Sabotage: what arrived is acknowledged before it is committed."""
    real = Reception._commit

    async def commit(self: Any, messages: list[Any]) -> None:
        coverage = self.coverage.copy()
        for message in messages:
            for item in unpack(message, self.journal.journal_id, {}):
                assert isinstance(item, IncomingBlock)
                coverage.add(item.header.first_seq, item.header.first_seq + item.header.count - 1)
        await self._client.send(wire.Ack(coverage.prefix, self._received + len(messages)))
        await real(self, messages)

    Reception._commit = commit  # type: ignore[method-assign]


def no_fsync() -> None:
    """Sabotage: synchronous=NORMAL, which in WAL mode syncs at checkpoints alone."""
    real = Store._open

    def open_store(self: Any) -> None:
        real(self)
        self._conn.execute("PRAGMA synchronous = NORMAL")

    Store._open = open_store  # type: ignore[method-assign]


@contextlib.asynccontextmanager
async def syncing(
    store: Store, device: FakeDevice, on_ack: Callable[[int], object]
) -> AsyncIterator[asyncio.Task[None]]:
    """The real engine between this store and this wearable; `on_ack` hears a sequence before it is acknowledged."""
    pipe = Pipe()
    async with serving(device, pipe):
        client = DeviceClient(pipe, [host_key()])
        await client.open()
        send = client.send

        async def marked(message: Any) -> None:
            if isinstance(message, wire.Ack):
                on_ack(message.committed_seq)
            await send(message)

        client.send = marked  # type: ignore[method-assign]
        engine = SyncEngine(
            store, client, derive=Derivation(), listener=SyncListener(), verifier=Verifier(),
            board_clock=RealClock(),
        )  # fmt: skip
        running = asyncio.create_task(engine.run())
        try:
            yield running
        finally:
            running.cancel()
            await asyncio.wait([running])


async def ingest(database: Path, flash: Path, marks: int) -> None:
    """Rounds of readings and events, each until it is acknowledged."""
    device = FakeDevice(flash)
    store = Store(database)
    pragma = f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}"
    store._writer.submit(lambda: store._conn.execute(pragma).fetchall()).result()  # type: ignore[union-attr]
    async with syncing(store, device, lambda seq: os.write(marks, b"%d\n" % seq)) as running:
        for _ in range(ROUNDS):
            device.read_sensors(24)
            device.event(record_types.Button(2))
            device.read_sensors(12)
            async with asyncio.timeout(20):
                while device.journal.acked_seq < device.journal.head_seq:
                    await asyncio.sleep(0.002)
        assert not running.done()
        os._exit(0)


if __name__ == "__main__":
    for name in sys.argv[4:]:
        {"ack_first": ack_first, "no_fsync": no_fsync}[name]()
    opened = os.open(sys.argv[3], os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    asyncio.run(ingest(Path(sys.argv[1]), Path(sys.argv[2]), opened))
