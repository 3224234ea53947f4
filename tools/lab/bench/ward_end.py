"""The wearables of a ward, in their own process: the firmware's session, journal and pump, each on its own terminal.

Every second each one journals one reading in its own block and sends one live value; their moments are spread over the
second. `Wearables` is the handle of that process.
"""

import asyncio
import hashlib
import multiprocessing
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple, Self

from crs_core.journal import block_layout
from crs_core.keys import Key
from crs_core.wire import message as wire

from tools.rig.protocol_wearable import FakeDevice
from tools.rig.pty_port import PtyPort

_EACH_S = 1.0
_ANSWER_S = 60.0


class Plan(NamedTuple):
    """One wearable: its identity and the number of readings in its journal at the start."""

    device_id: bytes
    key: Key
    binding_id: bytes
    backlog: int


class Journaled(NamedTuple):
    """One journal at the end: hashes of its blocks by first number, and the numbers of records and live values."""

    journal_id: bytes
    blocks: dict[int, bytes]
    records: int
    lives: int


class Wearables:
    """`paths` are the ports. `quiet()` ends the readings; `journals()` returns each journal's content by device id."""

    def __init__(self, folder: Path, plans: list[Plan]) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_main, args=(theirs, folder, plans), daemon=True)
        self._process.start()
        theirs.close()
        self.paths: list[str] = self._take()

    def quiet(self) -> None:
        self._ours.send("quiet")
        self._take()

    def journals(self) -> dict[bytes, Journaled]:
        self._ours.send("journals")
        return self._take()  # type: ignore[no-any-return]

    def _take(self) -> Any:
        if not self._ours.poll(_ANSWER_S):
            raise RuntimeError("the wearables do not answer")
        return self._ours.recv()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()


class _Worn:
    def __init__(self, folder: Path, plan: Plan) -> None:
        self.device = FakeDevice(folder / plan.device_id.hex(), keys=[plan.key], device_id=plan.device_id)
        self.device.bind(plan.binding_id)
        for _ in range(plan.backlog // 12):
            self.device.read_sensors(12)
        self.port = PtyPort()
        self.lives = 0

    async def live(self, offset_s: float, quiet: asyncio.Event) -> None:
        """Make a reading and a live value every second while a host is in session."""
        await asyncio.sleep(offset_s)
        device = self.device
        while not quiet.is_set():
            if device.session.is_open:
                device.read_sensors(1)
                await device.say(wire.Live(device.now_ms, 3700, 970, 80, 150, 1025, 0, None, None, []))
                self.lives += 1
            await asyncio.sleep(_EACH_S)

    def journaled(self) -> Journaled:
        """Read the whole journal."""
        blocks, records, seq = {}, 0, 1
        while (found := self.device.journal.read_from(seq)) is not None:
            _, header, raw = found
            blocks[header.first_seq] = hashlib.sha256(raw).digest()
            records += header.count
            seq = block_layout.last_seq(header) + 1
        return Journaled(self.device.journal.journal_id, blocks, records, self.lives)


def _main(parent: Connection, folder: Path, plans: list[Plan]) -> None:
    asyncio.run(_run(parent, folder, plans))


async def _run(parent: Connection, folder: Path, plans: list[Plan]) -> None:
    worn = [_Worn(folder, plan) for plan in plans]
    quiet, asked = asyncio.Event(), asyncio.Event()
    asyncio.get_running_loop().add_reader(parent.fileno(), asked.set)
    tasks = [asyncio.create_task(each.device.serve(each.port)) for each in worn]
    tasks += [asyncio.create_task(each.live(n / len(worn) * _EACH_S, quiet)) for n, each in enumerate(worn)]
    parent.send([each.port.path for each in worn])
    while True:
        await asked.wait()
        asked.clear()
        if not parent.poll():
            continue
        if parent.recv() == "quiet":
            quiet.set()
            parent.send(None)
        else:
            parent.send({each.device.device_id: each.journaled() for each in worn})
        for task in tasks:
            if task.done() and not task.cancelled():
                task.result()
