"""A wearable on a simulated air, and centrals of this process: real firmware, real bleak, no radio.

async with AirWard.open(tmp_path, "nimble") as ward:
    session = await ward.session()             # our own host over bleak
    device = await ward.find()                 # what a stranger's scanner hears
"""

import asyncio
import contextlib
import sqlite3
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from bleak import BleakScanner
from crs_core.keys import Key
from crs_core.wire import gatt_uuids as names
from crs_core.wire import message as wire

from host_agent.agent import Agent
from host_agent.config.model import parse_config
from host_agent.keys import keyfile
from host_agent.keys.keyfile import DeviceKey
from host_agent.link import ble, ble_radio
from host_agent.paths import Paths
from host_agent.sync.client import DeviceClient
from tools.ble_air.air import Air
from tools.ble_air.bleak_backend import Adapter
from tools.rig.image import CUSTODIAN, DEVICE_ID, build_image
from tools.rig.ward import SCENARIO
from tools.rig.wearable import VirtualWearable

PROFILES = ("nimble", "btstack")


class AirWard:
    """`air`, `wearable`, and `adapter`, this process's radio. Make it with `open`."""

    def __init__(self, folder: Path, air: Air, wearable: VirtualWearable, adapter: Adapter) -> None:
        self.folder, self.air, self.wearable, self.adapter = folder, air, wearable, adapter
        self.adapters = [adapter]
        self.speed = 60  # of the wearable's clock, and so of the agent's
        self.radio = ble_radio.Radio()
        self.scanner, self.client = adapter.backends()

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls, folder: Path, profile: str, *options: str, speed: int = 60, scenario: Path = SCENARIO, mtu: int = 247,
        **built: Any,
    ) -> AsyncIterator["AirWard"]:  # fmt: skip
        """`built` goes to build_image; ends everything that it started."""
        build_image(folder / "flash.img", **built)
        with tempfile.TemporaryDirectory(prefix="air-") as sockets:  # a unix socket's path must be short
            async with Air.open(Path(sockets)) as air:
                wearable = VirtualWearable(
                    folder, "--scenario", str(scenario), "--ble", profile, "--air", str(air.chip_path), *options,
                    speed=speed,
                )  # fmt: skip
                adapter = await Adapter.open(air.link, mtu=mtu)
                ward = cls(folder, air, wearable, adapter)
                ward.speed = speed
                ble_radio.use_backend(ward.backend)
                try:
                    await asyncio.to_thread(wearable.start)
                    yield ward
                finally:
                    ble_radio.use_backend(_none)
                    for adapter in ward.adapters:
                        await adapter.close()
                    await asyncio.to_thread(wearable.stop)

    async def backend(self) -> ble_radio.Backend:
        """What host_agent is given instead of the system's radio."""
        return ble_radio.Backend(self.scanner, self.client)

    async def another_adapter(self, number: int, mtu: int = 247) -> Adapter:
        """One more central with an address of its own."""
        adapter = await Adapter.open(self.air.link, address=f"F0:F1:F2:F3:00:{number:02X}", mtu=mtu)
        self.adapters.append(adapter)
        return adapter

    async def find(self, adapter: Adapter | None = None, timeout_s: float = 10) -> Any:
        """The wearable as bleak's scanner hears it, found by its service alone."""
        scanner = (adapter or self.adapter).backends()[0]
        device = await BleakScanner.find_device_by_filter(
            lambda _, data: names.SERVICE in data.service_uuids and data.local_name is not None,
            timeout=timeout_s, backend=scanner,
        )  # fmt: skip
        assert device is not None, f"not heard; the wearable said: {self.wearable.log.read_text()[-800:]}"
        return device

    async def transport(self) -> ble.BleTransport:
        """A connection of our own host."""
        return await ble.open_ble(self.radio, DEVICE_ID, "ble:test")

    async def session(self, key: Key = CUSTODIAN) -> DeviceClient:
        """A session over a new connection, reading."""
        transport = await self.transport()
        client = DeviceClient(transport, [device_key(key)])
        try:
            await client.open()
        except BaseException:
            transport.close()
            await transport.closed()
            raise
        client.start()
        return client

    async def end(self, client: DeviceClient) -> None:
        """Say BYE and disconnect."""
        await client.close()
        client.transport.close()
        await client.transport.closed()  # type: ignore[attr-defined]

    async def status(self, client: DeviceClient) -> Any:
        """StatusIs."""
        return await client.ask(wire.StatusAsk(), wire.StatusIs)

    async def control(self, **request: Any) -> dict[str, Any]:
        """A control command of the virtual wearable."""
        return await asyncio.to_thread(lambda: self.wearable.control(**request))

    @contextlib.asynccontextmanager
    async def agent(self, *ports: str) -> AsyncIterator[Agent]:
        """The running agent of the bedside laptop, in this process and on this radio; `ports`: cables besides."""
        paths = Paths(self.folder / "bedside").ensure()
        keyfile.save(paths.keys, device_key(CUSTODIAN))
        agent = Agent(paths, parse_config("[serial]\nscan_usb = false\n"), ports, speed=self.speed)
        running = asyncio.create_task(agent.run())
        try:
            yield agent
        finally:
            agent.stop()
            async with asyncio.timeout(15):
                await running

    def stored(self, sql: str, *parameters: Any) -> list[Any]:
        """Rows of the bedside's store."""
        with sqlite3.connect(f"file:{self.folder / 'bedside' / 'cytowatch.db'}?mode=ro", uri=True) as store:
            return store.execute(sql, parameters).fetchall()

    async def start_with_button(self, held_ms: int = 1200) -> None:
        """The gesture: power off, button held, power on, button let go."""
        speed = (await self.control(cmd="state"))["speed"]
        await self.control(cmd="press", ms=(held_ms + 400) * speed)
        await self.control(cmd="cut", off_ms=100)


def device_key(key: Key) -> DeviceKey:
    """A key slot as a host keeps it."""
    return DeviceKey(DEVICE_ID, key.key_id, key.key, key.role, key.name)


async def until(condition: Any, timeout_s: float = 10, what: str = "a condition") -> Any:
    """Poll until it is true; its value."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    while not (value := condition()):
        assert loop.time() < deadline, f"{what}: not within {timeout_s:g} s"
        await asyncio.sleep(0.02)
    return value


async def _none() -> ble_radio.Backend:
    return ble_radio.Backend()
