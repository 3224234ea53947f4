"""A bedside on the simulated air, inside this process: real firmware, real bleak, the real agent, no radio.

async with AirBedside.open(tmp_path, "nimble") as bedside:
    async with bedside.session() as client:        # our own host over bleak
        ...
    await bedside.find()                           # what a stranger's scanner hears
"""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from bleak import BleakClient, BleakScanner
from crs_core.wire import gatt_uuids as names

from host_agent.agent import Agent
from host_agent.config.model import parse_config
from host_agent.link import advertised, ble, ble_radio
from host_agent.link.supervisor import LinkState
from host_agent.store.contents import Totals, totals
from host_agent.store.db import Tx, open_read_only
from host_agent.sync.links import ble_name
from tools.ble_air.air import Air
from tools.ble_air.bleak_backend import Adapter
from tools.ble_air.channel import Channel
from tools.rig.image import CUSTODIAN, DEVICE_ID
from tools.rig.laptop import Laptop
from tools.rig.radio_bedside import RadioBedside
from tools.rig.waiting import conductor
from tools.rig.wearable import Wearable, ready

PROFILES = ("nimble", "btstack")
RADIO = ble_name(DEVICE_ID)  # the agent's name of its radio link

T = TypeVar("T")


class AirBedside(RadioBedside):
    """`air`, and `adapter`, this process's radio. Make it with `open`."""

    def __init__(self, folder: Path, air: Air, wearable: Wearable, adapter: Adapter) -> None:
        self.laptop = Laptop(folder / "bedside")
        super().__init__(folder, wearable, self.laptop.database)
        self.air, self.adapter = air, adapter
        self.adapters = [adapter]
        self.scanner, self.client = adapter.backends()
        self._running: Agent | None = None
        self._agents = contextlib.AsyncExitStack()

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls, folder: Path, profile: str, *options: str, speed: int = 60, mtu: int = 247,
        image: Path | None = None, **built: Any,
    ) -> AsyncIterator["AirBedside"]:  # fmt: skip
        """Start air, radio and wearable on `image`, or on one of build_image, to which `built` goes. Ends everything
        that it started."""
        with tempfile.TemporaryDirectory(prefix="air-") as sockets:  # a unix socket's path must be short
            owner = conductor()
            async with Air.open(Path(sockets), Channel(owner.seed) if owner else None) as air:
                radio = ("--ble", profile, "--air", str(air.chip_path), *options)
                if image is None:
                    wearable = ready(folder, *radio, speed=speed, **built)
                else:
                    shutil.copyfile(image, folder / "flash.img")
                    wearable = Wearable(folder, *radio, speed=speed)
                bedside = cls(folder, air, wearable, await Adapter.open(air.link, mtu=mtu))
                ble_radio.use_backend(bedside.backend)
                try:
                    await bedside.start_wearable()
                    yield bedside
                finally:
                    await bedside._agents.aclose()
                    ble_radio.use_backend(_none)
                    for adapter in bedside.adapters:
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
        """The wearable as bleak's scanner hears it, found by what it advertises, without a key."""
        scanner = (adapter or self.adapter).backends()[0]
        device = await BleakScanner.find_device_by_filter(
            lambda _, data: advertised.decode(data.manufacturer_data.get(names.COMPANY, b"")) is not None,
            timeout=timeout_s, backend=scanner,
        )  # fmt: skip
        assert device is not None, "not heard"
        return device

    async def connected(self, adapter: Adapter | None = None) -> BleakClient:
        """A connection of `adapter`, by default of this process's radio."""
        adapter = adapter or self.adapter
        client = BleakClient(await self.find(adapter), backend=adapter.backends()[1])
        await client.connect()
        return client

    async def connect_app(self) -> BleakClient:
        """A connection over this process's radio."""
        return await self.connected()

    async def type_passkey(self, transport: ble.BleTransport, typed: int) -> None:
        """Pair with what is typed."""
        await ble.pair(transport, typed)

    @contextlib.asynccontextmanager
    async def nobody_types(self) -> AsyncIterator[None]:
        """A central of this air asks nobody."""
        yield

    async def forget(self) -> None:
        """Forget all bonds of this process's radio."""
        for name, _ in await self.adapter.keys.get_all():
            await self.adapter.keys.delete(name)

    async def power_adapter(self, on: bool) -> None:
        """An adapter that goes off breaks its connections."""
        self.adapter.is_lost = not on
        if not on:
            self.cut()

    def cut(self) -> None:
        """Break the connections of this process's radio."""
        assert self.adapter.controller is not None
        self.air.link.cut(self.adapter.controller)

    @contextlib.asynccontextmanager
    async def agent(self, *ports: str) -> AsyncIterator[Agent]:
        """The laptop's agent, in this process and on this radio, while the block runs; `ports`: cables besides."""
        self.laptop.enrol(CUSTODIAN)
        config = parse_config("[serial]\nscan_usb = false\n")
        agent = Agent(self.laptop.paths, config, ports, speed=self.wearable.speed)
        running = asyncio.create_task(agent.run())
        try:
            yield agent
        finally:
            agent.stop()
            async with asyncio.timeout(15):
                await running

    async def start_agent(self) -> None:
        """As `agent`, until the end or `stop_agent`."""
        self._running = await self._agents.enter_async_context(self.agent())

    async def stop_agent(self) -> None:
        """It raises what its run raised."""
        self._running = None
        await self._agents.aclose()

    async def link(self) -> dict[str, Any]:
        """The report of the radio's link; while the agent starts, that it has begun."""
        if self._running is None:
            return {}
        report = self._running.links.reports.get(RADIO)
        return report._asdict() if report else {"state": "begins"}

    async def has_caught_up(self) -> bool:
        """What the agent knows of its session."""
        return await self.is_open() and self._running is not None and is_caught_up(self._running)

    def read(self, what: Callable[[Tx], T]) -> T:
        """What a function of host_agent.store reads in the store of the bedside laptop."""
        with closing(open_read_only(self.database)) as tx:
            return what(tx)

    def totals(self) -> Totals:
        """How much is stored."""
        return self.read(totals)


def is_open(agent: Agent, name: str = RADIO) -> bool:
    """Whether a link of the agent is in session."""
    report = agent.links.reports.get(name)
    return report is not None and report.state == LinkState.OPEN


def is_caught_up(agent: Agent) -> bool:
    """Whether the agent has stored everything that the wearable has numbered."""
    return agent.live.view(DEVICE_ID).is_caught_up


async def _none() -> ble_radio.Backend:
    return ble_radio.Backend()
