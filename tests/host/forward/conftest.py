"""A store with an outbox, and a worker over it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from host_agent.forward.worker import Worker
from host_agent.store.db import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "c.db") as opened:
        yield opened


def rows(store: Store) -> dict[str, tuple[str, int, str]]:
    """Event key → state, attempts and last error of every delivery."""
    return store.read_now(
        lambda tx: {key: (state, attempts, error) for key, state, attempts, error in tx.execute(
            "SELECT event_key, state, attempts, last_error FROM outbox")}
    )  # fmt: skip


@contextlib.asynccontextmanager
async def running(store: Store, forwarder: Any, **change: Any) -> AsyncIterator[Worker]:
    """A worker that sends what the store holds."""
    worker = Worker(store, forwarder, **{"retry_first_s": 0.05, "retry_cap_s": 1, **change})
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await worker.close()


async def until(check: Callable[[], object], timeout_s: float = 10.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not check():
            await asyncio.sleep(0.01)
