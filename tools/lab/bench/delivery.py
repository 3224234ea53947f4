"""From an event in the store until its receiver has it: each kind alone, after an outage, and for a ward.

A real store and the agent's own workers. Alone, each kind has a real peer, and the time ends when the peer's answer is
there. The outage lasts an hour of a clock that leaps while nobody listens on the port. Events of one wearable are told
apart by their keys, which say their order.
"""

import asyncio
import contextlib
import itertools
import json
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from host_agent.clock import Clock, RealClock
from host_agent.config.model import parse_config
from host_agent.escalation.words.reader import Reader
from host_agent.escalation.words.wording import worder
from host_agent.forward.delivery import Connected
from host_agent.forward.worker import Worker
from host_agent.store.db import Store, Tx
from host_agent.store.outbox import Addressed, add_delivery
from tools.dev.messages import payloads
from tools.lab.bench.measuring import Row, percentile
from tools.lab.bench.receiver_peers import PEERS, MissingError

ALONE = 300
ALONE_FHIR = 100  # its peer searches all that it has, at each write
OUTAGE_EVENTS = 1000
OUTAGE_S = 3600.0
WEARABLES, EACH_S, WARD_S = 64, 1.0, 600.0
_DEADLINE_S = 60.0
_EVENT = dict(payloads())["HYPOXAEMIA HIGH"]  # its words are made before it is first sent


def rows() -> Iterator[Row]:
    for kind in PEERS:
        label = f"event in the store until {kind} has answered, p99"
        try:
            taken_ms = asyncio.run(_alone(kind))
        except MissingError as error:
            yield label, "not measured", str(error), None
            continue
        p99 = percentile(taken_ms, 0.99)
        yield label, f"{p99:.1f} ms of {len(taken_ms)}", "<= 50 ms", p99 <= 50
    for answers, since in ((False, "its end"), (True, "its first success")):
        took_s, lost, doubled, turned = asyncio.run(_outage(answers=answers))
        figure = f"{took_s:.1f} s, {lost} lost, {doubled} doubled, {turned} out of order"
        is_met = took_s <= 10 and lost == doubled == turned == 0
        how = "HTTP 503" if answers else "nobody there"
        label = f"{OUTAGE_EVENTS} events of an outage of an hour ({how}), after {since}"
        yield label, figure, "<= 10 s, 0, 0, 0", is_met
    taken_ms, sent = asyncio.run(_ward())
    p99, lost = percentile(taken_ms, 0.99), sent - len(taken_ms)
    figure = f"{p99:.0f} ms of {sent}, {lost} lost"
    label = f"{WEARABLES} wearables, an event a second each for {WARD_S:g} s, p99"
    yield label, figure, "<= 1 s, 0 lost", (p99 <= 1000 and lost == 0)


class _LeapingClock(RealClock):
    """Real time, and while `leaps` is set nobody waits: a wait moves the clock by its length."""

    def __init__(self) -> None:
        self.leaps = False
        self._ahead_s = 0.0

    def utc_ms(self) -> int:
        return super().utc_ms() + round(self._ahead_s * 1000)

    def monotonic(self) -> float:
        return super().monotonic() + self._ahead_s

    async def sleep(self, seconds: float) -> None:
        if self.leaps:
            self._ahead_s += seconds
        await asyncio.sleep(0 if self.leaps else seconds)


class _Receiver:
    """Answers 200 to each POST and notes when each Idempotency-Key came, in order."""

    def __init__(self) -> None:
        self.arrived: dict[str, float] = {}
        self.repeats = 0
        self.is_refusing = False
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
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                fields = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:] if line)
                await reader.readexactly(int(fields["content-length"]))
                if self.is_refusing:
                    writer.write(b"HTTP/1.1 503 Not Now\r\nContent-Length: 0\r\n\r\n")
                    await writer.drain()
                    continue
                key = fields["idempotency-key"]
                self.repeats += key in self.arrived
                self.arrived.setdefault(key, time.perf_counter())
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
        self._open.discard(writer)

    def table(self, folder: Path) -> str:
        """What leads to it in a configuration."""
        secret = folder / "secret"
        secret.write_text("0123456789abcdef")
        secret.chmod(0o600)
        return (
            f'[[webhook]]\nname = "bench"\nurl = "http://127.0.0.1:{self.port}/"\nsecret_file = "{secret}"\n'
        )


@contextlib.asynccontextmanager
async def _working(folder: Path, table: str, clock: Clock) -> AsyncIterator[tuple[Store, Worker]]:
    """A store and the worker that serves the receiver, with the pauses of the configuration."""
    (receiver,) = parse_config(table).receivers
    with Store(folder / "c.db") as store:
        forwarder = receiver.forwarder(clock.utc_ms)
        worker = Worker(
            store,
            forwarder,
            retry_first_s=receiver.retry_first_s,
            retry_cap_s=receiver.retry_cap_s,
            clock=clock,
            word=worder(Reader("caregiver", "de"), clock),
        )
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(worker.run())]
            if isinstance(forwarder, Connected):
                running.append(group.create_task(forwarder.run()))
            try:
                yield store, worker
            finally:
                for one in running:
                    one.cancel()
        await worker.close()


async def _add(store: Store, worker: Worker, clock: Clock, key: str, device: int) -> float:
    """One more HIGH event of a wearable; the time just before its commit began."""
    payload = json.dumps({**_EVENT, "key": key, "stage": "raised"})

    def add(tx: Tx) -> None:
        row = Addressed("bench", key, None, 3, False, payload, device=device, kind="alarm-1", alarm=1)
        add_delivery(tx, row, clock.utc_ms())

    begun_s = time.perf_counter()
    await store.write(add)
    worker.wake()
    return begun_s


async def _alone(kind: str) -> list[float]:
    taken_ms, clock = [], RealClock()
    with tempfile.TemporaryDirectory(prefix="cytowatch-delivery-") as name, PEERS[kind](Path(name)) as table:
        async with _working(Path(name), table, clock) as (store, worker):
            # the first one opens the connection, or starts the helper process
            for number in range((ALONE_FHIR if kind == "fhir" else ALONE) + 1):
                begun_s = await _add(store, worker, clock, f"k{number}", 1)
                async with asyncio.timeout(_DEADLINE_S):
                    while worker.counters.delivered <= number:
                        await asyncio.sleep(0.0005)
                taken_ms.append((time.perf_counter() - begun_s) * 1000)
                await asyncio.sleep(0.01)
    return taken_ms[1:]


async def _outage(*, answers: bool) -> tuple[float, int, int, int]:
    """(seconds from the receiver's return, or its first success, to the last event, lost, doubled, out of order)."""
    receiver, clock = _Receiver(), _LeapingClock()
    await receiver.start()
    receiver.is_refusing = answers
    if not answers:
        await receiver.stop()
    with tempfile.TemporaryDirectory(prefix="cytowatch-delivery-") as name:
        async with _working(Path(name), receiver.table(Path(name)), clock) as (store, worker):
            begun_s, clock.leaps = clock.monotonic(), True
            for number in range(OUTAGE_EVENTS):
                while clock.monotonic() < begun_s + number * OUTAGE_S / OUTAGE_EVENTS:
                    await asyncio.sleep(0.0005)
                await _add(store, worker, clock, f"k{number:04}", 1)
            clock.leaps = False
            receiver.is_refusing = False
            if not answers:
                await receiver.start()
            back_s = time.perf_counter()
            if answers:
                await receiver.until(1)
                back_s = next(iter(receiver.arrived.values()))
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
    clock = RealClock()
    with tempfile.TemporaryDirectory(prefix="cytowatch-delivery-") as name:
        async with _working(Path(name), receiver.table(Path(name)), clock) as (store, worker):
            first_s = time.perf_counter()
            for number in range(round(WARD_S / EACH_S) * WEARABLES):
                wait_s = first_s + number * EACH_S / WEARABLES - time.perf_counter()
                if wait_s > 0:
                    await asyncio.sleep(wait_s)
                key = f"k{number}"
                begun_s[key] = await _add(store, worker, clock, key, number % WEARABLES + 1)
            with contextlib.suppress(TimeoutError):
                await receiver.until(len(begun_s))
    await receiver.stop()
    return [(at_s - begun_s[key]) * 1000 for key, at_s in receiver.arrived.items()], len(begun_s)
