"""A running agent over a pseudo-terminal with a fake wearable on the other end and a real receiver for its events."""

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from crs_core import codes
from crs_core.wire import message as wire

from host_agent.agent import Agent
from host_agent.config.model import parse_config
from host_agent.control.socket import call
from host_agent.keys import keyfile
from host_agent.paths import Paths
from tests.fakes.fake_http import FakeReceiver
from tools.rig.protocol_wearable import AXILLA, CUSTODIAN, FakeDevice, host_key, serving
from tools.rig.pty_port import PtyPort

SECRET = "0123456789abcdef0123"
SETTINGS = {"emergency_number": "112", "patient_call_number": "555-0100", "site": "axilla"}
PATIENT = {"patient": "P-1", "age_years": 54, "site": "axilla"}


class World:
    """`home` is a state folder with the wearable enrolled; `device` the wearable; `receiver` takes the events."""

    def __init__(self, folder: Path, receiver: FakeReceiver, port: PtyPort) -> None:
        self.home = folder / "home"
        self.paths = Paths(self.home).ensure()
        self.receiver = receiver
        self.port = port
        self.device = FakeDevice(folder / "flash")
        self.device.settings = dict(SETTINGS)
        self.device.read_only_answers[wire.Keys] = wire.KeysIs(
            (wire.KeyInfo(CUSTODIAN.key_id, 1, "ward"), wire.KeyInfo(0x22, 2, "study"))
        )
        keyfile.save(self.paths.keys, host_key())
        secret = folder / "secret"
        secret.write_text(SECRET)
        secret.chmod(0o600)
        self.config_text = (
            "[serial]\nscan_usb = false\n[ble]\nenabled = false\n"
            f'[[webhook]]\nname = "ward"\nurl = "{receiver.url}"\nsecret_file = "{secret}"\n'
            "accept_simulated = true\nretry_first_s = 0.05\nretry_cap_s = 1\n"
        )

    @contextlib.asynccontextmanager
    async def agent(self, **change: Any) -> AsyncIterator[Agent]:
        """A running agent in this process."""
        config = parse_config(change.pop("config_text", self.config_text))
        agent = Agent(self.paths, config, [self.port.path], **change)
        ready = asyncio.Event()
        running = asyncio.create_task(agent.run(ready.set))
        try:
            waiting = asyncio.create_task(ready.wait())
            await asyncio.wait([running, waiting], timeout=5, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if running.done():
                running.result()
            assert ready.is_set()
            yield agent
        finally:
            agent.stop()
            async with asyncio.timeout(10):
                await running

    async def call(self, do: str, **fields: Any) -> dict[str, Any]:
        """One command on the control socket."""
        return await call(self.paths.socket, do, **fields)

    async def until(self, check: Any, timeout_s: float = 30.0) -> Any:
        """Wait until `check()` (or the coroutine it gives) is true; returns it."""
        async with asyncio.timeout(timeout_s):
            while True:
                value = check()
                if asyncio.iscoroutine(value):
                    value = await value
                if value:
                    return value
                await asyncio.sleep(0.02)

    async def in_session(self) -> dict[str, Any]:
        """Wait until the agent is in session and has everything."""

        async def look() -> Any:
            status = await self.call("status")
            return status if status["devices"] and status["devices"][0]["caught_up"] else None

        status: dict[str, Any] = await self.until(look)
        return status


@contextlib.asynccontextmanager
async def make_world(folder: Path) -> AsyncIterator[World]:
    """Receiver, port and wearable, all running."""
    port = PtyPort()
    async with FakeReceiver() as receiver:
        world = World(folder, receiver, port)
        try:
            async with serving(world.device, port):
                yield world
        finally:
            port.close()


async def start_patient(world: World, **change: Any) -> dict[str, Any]:
    await world.in_session()
    done = await world.call("patient_start", profile={**PATIENT, **change})
    # the session of the journal before is open for a moment yet
    await world.until(lambda: query(world, "SELECT 1 FROM journals WHERE is_current AND binding IS NOT NULL"))
    await world.in_session()
    return done


def events(world: World) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in world.receiver.received]


def query(world: World, sql: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(world.paths.database)) as conn:
        return conn.execute(sql).fetchall()


def live(t_ms: int) -> wire.Live:
    return wire.Live(t_ms, 3864, None, 104, None, AXILLA, 3, 1, 4, ((codes.FEVER, 2),))
