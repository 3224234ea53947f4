"""From an event in the store until its receiver has it: alone, after an outage, and for a ward of 64 wearables.

A real store and the agent's own workers; the receiver is an HTTP server in this process that notes each arrival. The
outage is a port that nobody listens on. Events of one wearable are told apart by their keys, which say their order.
"""

import asyncio
import contextlib
import itertools
import json
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from host_agent.clock import RealClock
from host_agent.config.model import parse_config
from host_agent.escalation.words.reader import Reader
from host_agent.escalation.words.wording import worder
from host_agent.forward.worker import Worker
from host_agent.store.db import Store, Tx
from host_agent.store.outbox import Addressed, add_delivery
from tools.dev.messages import payloads
from tools.lab.bench.measuring import Row, percentile

ALONE = 300
OUTAGE_EVENTS = 1000
OUTAGE_S = 30.0  # long enough for the pauses between two attempts to have grown to their longest
WEARABLES, EACH_S, WARD_S = 64, 1.0, 600.0
_DEADLINE_S = 60.0
_EVENT = dict(payloads())["HYPOXAEMIA HIGH"]  # its words are made before it is first sent


def rows() -> Iterator[Row]:
    taken_ms = asyncio.run(_alone())
    p99 = percentile(taken_ms, 0.99)
    yield "event in the store to webhook, p99", f"{p99:.1f} ms of {len(taken_ms)}", "<= 50 ms", p99 <= 50
    took_s, lost, doubled, turned = asyncio.run(_outage())
    figure = f"{took_s:.1f} s, {lost} lost, {doubled} doubled, {turned} out of order"
    is_met = took_s <= 10 and lost == doubled == turned == 0
    yield f"{OUTAGE_EVENTS} events of an outage, after its end", figure, "<= 10 s, 0, 0, 0", is_met
    taken_ms, sent = asyncio.run(_ward())
    p99, lost = percentile(taken_ms, 0.99), sent - len(taken_ms)
    figure = f"{p99:.0f} ms of {sent}, {lost} lost"
    yield (
        f"{WEARABLES} wearables, an event a second each for {WARD_S:g} s, p99",
        figure,
        "<= 1 s, 0 lost",
        (p99 <= 1000 and lost == 0),
    )


class _Receiver:
    """Answers 200 to each POST and notes when each Idempotency-Key came, in order."""

    def __init__(self) -> None:
        self.arrived: dict[str, float] = {}
        self.repeats = 0
        self.port = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._open):
            writer.close()
        await self._server.wait_closed()

    async def until(self, number: int) -> None:
        async with asyncio.timeout(_DEADLINE_S):
            while len(self.arrived) < number:
                await asyncio.sleep(0.001)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                fields = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:] if line)
                await reader.readexactly(int(fields["content-length"]))
                key = fields["idempotency-key"]
                self.repeats += key in self.arrived
                self.arrived.setdefault(key, time.perf_counter())
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
        self._open.discard(writer)


@contextlib.asynccontextmanager
async def _working(receiver: _Receiver) -> AsyncIterator[tuple[Store, Worker]]:
    """A store and the worker that serves the receiver, with the pauses of the configuration."""
    with tempfile.TemporaryDirectory(prefix="cytowatch-delivery-") as name:
        secret = Path(name) / "secret"
        secret.write_text("0123456789abcdef")
        secret.chmod(0o600)
        (table,) = parse_config(
            f'[[webhook]]\nname = "bench"\nurl = "http://127.0.0.1:{receiver.port}/"\nsecret_file = "{secret}"\n'
        ).receivers
        with Store(Path(name) / "c.db") as store:
            worker = Worker(
                store, table.forwarder(lambda: int(time.time() * 1000)), retry_first_s=table.retry_first_s,
                retry_cap_s=table.retry_cap_s, word=worder(Reader("caregiver", "de"), RealClock()),
            )  # fmt: skip
            running = asyncio.create_task(worker.run())
            try:
                yield store, worker
            finally:
                running.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await running
                await worker.close()


async def _add(store: Store, worker: Worker, key: str, device: int) -> float:
    """One more HIGH event of a wearable; the time just before its commit began."""
    payload = json.dumps({**_EVENT, "key": key})

    def add(tx: Tx) -> None:
        row = Addressed("bench", key, None, 3, False, payload, device=device, kind="alarm-1", alarm=1)
        add_delivery(tx, row, int(time.time() * 1000))

    begun_s = time.perf_counter()
    await store.write(add)
    worker.wake()
    return begun_s


async def _alone() -> list[float]:
    receiver = _Receiver()
    await receiver.start()
    taken_ms = []
    async with _working(receiver) as (store, worker):
        for number in range(ALONE):
            begun_s = await _add(store, worker, f"k{number}", 1)
            await receiver.until(number + 1)
            taken_ms.append((receiver.arrived[f"k{number}"] - begun_s) * 1000)
            await asyncio.sleep(0.01)
    await receiver.stop()
    return taken_ms


async def _outage() -> tuple[float, int, int, int]:
    """(seconds from the receiver's return to the last event, lost, doubled, out of order)."""
    receiver = _Receiver()
    await receiver.start()
    await receiver.stop()
    async with _working(receiver) as (store, worker):
        for number in range(OUTAGE_EVENTS):
            await _add(store, worker, f"k{number:04}", 1)
            await asyncio.sleep(OUTAGE_S / OUTAGE_EVENTS)
        await receiver.start()
        back_s = time.perf_counter()
        with contextlib.suppress(TimeoutError):
            await receiver.until(OUTAGE_EVENTS)
        took_s = time.perf_counter() - back_s
        await asyncio.sleep(1.0)  # a doubled one would come now
    await receiver.stop()
    keys = list(receiver.arrived)
    turned = sum(later < earlier for earlier, later in itertools.pairwise(keys))
    return took_s, OUTAGE_EVENTS - len(keys), receiver.repeats, turned


async def _ward() -> tuple[list[float], int]:
    """(ms of each event that arrived, events made)."""
    receiver = _Receiver()
    await receiver.start()
    begun_s: dict[str, float] = {}
    async with _working(receiver) as (store, worker):
        first_s = time.perf_counter()
        for number in range(round(WARD_S / EACH_S) * WEARABLES):
            wait_s = first_s + number * EACH_S / WEARABLES - time.perf_counter()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            key = f"k{number}"
            begun_s[key] = await _add(store, worker, key, number % WEARABLES + 1)
        with contextlib.suppress(TimeoutError):
            await receiver.until(len(begun_s))
    await receiver.stop()
    return [(at_s - begun_s[key]) * 1000 for key, at_s in receiver.arrived.items()], len(begun_s)
