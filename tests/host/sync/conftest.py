"""A store, a fake wearable and an engine between them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from host_agent.clock import RealClock
from host_agent.store.db import Store
from host_agent.store.host_alarms import open_alarms
from host_agent.store.rows import Derivation
from host_agent.sync.client import DeviceClient
from host_agent.sync.engine import SyncEngine
from host_agent.sync.listener import SyncListener
from host_agent.sync.verify import Verifier
from tools.rig.protocol_wearable import FakeDevice, Pipe, host_key, serving


class Ears(SyncListener):
    """Remembers what the engine told."""

    def __init__(self) -> None:
        self.lives: list[Any] = []
        self.doorbells: list[Any] = []
        self.unstored: list[Any] = []
        self.backs = 0
        self.opened: list[Any] = []
        self.committed: list[Any] = []
        self.not_understood: list[Any] = []
        self.caught_up = asyncio.Event()

    def on_not_understood(self, device_id: bytes, why: str, may_alarm: bool) -> None:
        self.not_understood.append((device_id, why, may_alarm))

    def on_open(self, device_id: bytes, journal: Any, status: Any) -> None:
        self.opened.append((device_id, journal, status))

    def on_live(self, device_id: bytes, live: Any) -> None:
        self.lives.append(live)

    def on_doorbell(self, device_id: bytes, alarm: Any) -> None:
        self.doorbells.append(alarm)

    def on_committed(self, journal: Any, inserted: Any) -> None:
        self.committed.append(inserted)

    def on_unstored(self, journal: Any, items: Any, error: Any) -> None:
        self.unstored.append((list(items), error))

    def on_store_back(self, journal: Any) -> None:
        self.backs += 1

    def on_caught_up(self, journal: Any) -> None:
        self.caught_up.set()


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with Store(tmp_path / "cytowatch.db") as opened:
        yield opened


@pytest.fixture
def device(tmp_path: Path) -> FakeDevice:
    return FakeDevice(tmp_path / "flash")


Session = Callable[..., contextlib.AbstractAsyncContextManager[tuple[SyncEngine, Ears]]]


@pytest.fixture
def session(store: Store) -> Session:
    """`async with session(device, pipe) as (engine, ears)`: in session, syncing; `synced=True`: once all is here."""

    @contextlib.asynccontextmanager
    async def open_session(
        device: FakeDevice,
        pipe: Pipe | None = None,
        *,
        key: Any = None,
        derive: Any = None,
        synced: bool = False,
        **options: Any,
    ) -> AsyncIterator[tuple[SyncEngine, Ears]]:
        pipe = pipe or Pipe()
        ears = Ears()
        async with serving(device, pipe):
            client = DeviceClient(pipe, [key or host_key()])
            await client.open()
            engine = SyncEngine(
                options.pop("store", store), client, derive=derive or Derivation(), listener=ears,
                verifier=Verifier(), board_clock=options.pop("board_clock", RealClock()), **options,
            )  # fmt: skip
            running = asyncio.create_task(engine.run())
            engine.running = running  # type: ignore[attr-defined]
            try:
                if synced:
                    await asyncio.wait_for(ears.caught_up.wait(), 20)
                yield engine, ears
            finally:
                running.cancel()
                await asyncio.wait([running])

    return open_session


def held(store: Store) -> dict[str, list[Any]]:
    """Everything of the current journal branch, for comparison."""

    def read(tx: Any) -> dict[str, list[Any]]:
        return {
            "readings": tx.execute(
                "SELECT journal, seq, t_ms, temp_cc FROM readings ORDER BY 1, 2"
            ).fetchall(),
            "events": tx.execute("SELECT journal, seq, type, payload FROM events ORDER BY 1, 2").fetchall(),
            "blocks": tx.execute(
                "SELECT journal, first_seq, last_seq, raw FROM blocks ORDER BY 1, 2"
            ).fetchall(),
            "gaps": tx.execute(
                "SELECT journal, first_seq, last_seq, reason FROM gaps ORDER BY 1, 2"
            ).fetchall(),
        }

    return store.read_now(read)


def on_flash(device: FakeDevice) -> list[bytes]:
    """Every block of the wearable's journal in sequence order."""
    blocks, seq = [], 1
    while (found := device.journal.read_from(seq)) is not None:
        if found[0] == "gap":
            seq = found[2] + 1
            continue
        blocks.append(found[2])
        seq = found[1].first_seq + found[1].count
    return blocks


async def until(condition: Any, what: str, deadline_s: float = 10.0) -> None:
    """Wait for something to become true; its name is in the failure."""
    try:
        async with asyncio.timeout(deadline_s):
            while not condition():
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"never: {what}") from None


def alarms_of(store: Any) -> set[int]:
    return {alarm.alarm for alarm in store.read_now(open_alarms)}
