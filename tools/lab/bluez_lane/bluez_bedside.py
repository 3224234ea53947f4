"""A bedside in the lane's guest: the wearable on the lane's air, and this guest, with real BlueZ, as the laptop.

The link is host_agent's own on bleak's own backend: nothing between it and real BlueZ is replaced. The agent is the
real `cytowatch run` with the radio as its only link.
"""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from bleak import BleakClient
from bleak.exc import BleakError
from bleak_retry_connector import establish_connection

from host_agent.link import ble
from host_agent.link.bluez_agent import passkey_agent, system_bus
from tools.lab.bluez_lane.bus import forget_devices, set_powered
from tools.lab.bluez_lane.lane_air import lane_air
from tools.rig.image import CUSTODIAN, build_image
from tools.rig.laptop import RADIO_TOO, Laptop
from tools.rig.radio_bedside import RadioBedside
from tools.rig.wearable import Wearable

_SPEED = 20  # of the wearable's clock
_TRIES = 4
_PAUSE_S = 0.5


class BluezBedside(RadioBedside):
    """`chip_path` is where chips join the air, `laptop` where the agent lives. Make it with `open`."""

    held_ms = 2400  # in a guest the board starts slowly

    def __init__(self, folder: Path, wearable: Wearable, chip_path: Path, image: Path | None) -> None:
        self.laptop = Laptop(folder / "laptop", CUSTODIAN, RADIO_TOO)
        super().__init__(folder, wearable, self.laptop.database)
        self.chip_path, self.image = chip_path, image

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, folder: Path, image: Path | None) -> AsyncIterator["BluezBedside"]:
        """Air, adapter and wearable run while the block runs; `image` is a ready one, which is copied.

        What raises says what did not start.
        """
        if image is None:
            await asyncio.to_thread(build_image, folder / "flash.img")
        else:
            shutil.copyfile(image, folder / "flash.img")
        async with lane_air(folder) as air:
            wearable = Wearable(folder, "--ble", "nimble", "--air", str(air.chip_path), speed=_SPEED)
            bedside = cls(folder, wearable, air.chip_path, image)
            try:
                await bedside.start_wearable()
                yield bedside
            finally:
                await asyncio.to_thread(bedside.laptop.stop)
                await asyncio.to_thread(wearable.stop)

    async def connect_app(self) -> BleakClient:
        """BlueZ gives up a connection now and then (see the README): every user of bleak on Linux tries again."""
        for left in reversed(range(_TRIES)):
            heard = await self.hear("the wearable")
            try:
                return await establish_connection(BleakClient, heard.device, "any app", max_attempts=1)
            except BleakError:
                if not left:
                    raise
            await asyncio.sleep(_PAUSE_S)
        raise AssertionError("unreachable")

    async def type_passkey(self, transport: ble.BleTransport, typed: int) -> None:
        """BlueZ asks the desktop's agent, whatever the caller of `pair` says."""

        async def answer(_device: str) -> int:
            return typed

        async with passkey_agent(answer) as agent:
            try:
                await ble.pair(transport, typed)
            finally:
                assert agent.asked == 1, f"asked {agent.asked} times"

    @contextlib.asynccontextmanager
    async def nobody_types(self) -> AsyncIterator[None]:
        """A desktop's agent that refuses, and must not be asked."""

        async def refuse(_device: str) -> None:
            return None

        async with passkey_agent(refuse) as agent:
            yield
            assert agent.asked == 0, f"asked {agent.asked} times for the passkey"

    async def forget(self) -> None:
        """As "forget this device" on the desktop."""
        await forget_devices()

    async def power_adapter(self, on: bool) -> None:
        """As the desktop's switch."""
        async with system_bus() as bus:
            await set_powered(bus, on)

    async def start_agent(self) -> None:
        """Start the process."""
        await asyncio.to_thread(self.laptop.start, "", _SPEED)

    async def stop_agent(self) -> None:
        """End the process, which must say that it ended well."""
        assert await asyncio.to_thread(self.laptop.stop) == 0, "the agent ended badly"

    async def link(self) -> dict[str, Any]:
        """What the agent's status says; while it starts, that it has begun."""
        if self.laptop.agent is None:
            return {}
        return await asyncio.to_thread(self.laptop.link) or {"state": "begins"}

    async def has_caught_up(self) -> bool:
        """What the agent's status says."""
        return await self.is_open() and await asyncio.to_thread(self.laptop.caught_up)
