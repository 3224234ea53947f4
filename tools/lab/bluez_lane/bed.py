"""What the scenarios share: a virtual wearable on the lane's air, and this guest as the laptop beside it.

The link is host_agent's own on bleak's own backend: nothing between it and real BlueZ is replaced.
"""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from bleak import BleakClient
from bleak.exc import BleakError
from bleak_retry_connector import establish_connection
from crs_core.wire import gatt_uuids as names
from crs_core.wire import message as wire

from host_agent.errors import TransportLost
from host_agent.link import ble
from host_agent.link.ble_radio import Heard, Radio
from host_agent.sync.client import DeviceClient
from tools.lab.bluez_lane.bus import forget_devices
from tools.lab.bluez_lane.lane_air import lane_air
from tools.lab.bluez_lane.laptop import KEY, Laptop
from tools.rig.image import CUSTODIAN, DEVICE_ID, build_image
from tools.rig.wearable import ROOT, VirtualWearable

SPEED = 20  # of the wearable's clock
_SCENARIO = ROOT / "tools/virtual_wearable/scenarios/steady_afebrile.toml"
_HEARD_S = 60.0
_TRIES = 4
_PAUSE_S = 0.5
_POLL_S = 0.05
_OFF_MS = 100
_HOLD_MS = 2400  # real: the board must see 0.5 to 3 s of it, and in a guest it starts slowly
_WINDOW_S = 15.0


class Bed:
    """`wearable` bound and measuring, `radio` the laptop's, `chip_path` where chips join. Make it with `open`."""

    def __init__(self, folder: Path, wearable: VirtualWearable, chip_path: Path, image: Path | None) -> None:
        self.folder, self.wearable, self.chip_path, self.image = folder, wearable, chip_path, image
        self.laptop = Laptop(folder / "laptop")
        self.radio = Radio()

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, folder: Path, image: Path | None) -> AsyncIterator["Bed"]:
        """Air, adapter and wearable run while the block runs; `image` is a ready one, which is copied.

        What raises says what did not start.
        """
        if image is None:
            await asyncio.to_thread(build_image, folder / "flash.img")
        else:
            shutil.copyfile(image, folder / "flash.img")
        async with lane_air(folder) as air:
            wearable = VirtualWearable(
                folder, "--scenario", str(_SCENARIO), "--ble", "nimble", "--air", str(air.chip_path), speed=SPEED,
            )  # fmt: skip
            try:
                await asyncio.to_thread(wearable.start)
                bed = cls(folder, wearable, air.chip_path, image)
                try:
                    yield bed
                finally:
                    await asyncio.to_thread(bed.laptop.stop)
            finally:
                await asyncio.to_thread(wearable.stop)

    async def control(self, **request: Any) -> dict[str, Any]:
        """A control command of the virtual wearable."""
        return await asyncio.to_thread(lambda: self.wearable.control(**request))

    async def hear(
        self, what: str, wanted: Callable[[Heard], bool] = lambda _heard: True, timeout_s: float = _HEARD_S
    ) -> Heard:
        """The first advertisement of the wearable that is `wanted`; TimeoutError names `what`."""
        found: asyncio.Future[Heard] = asyncio.get_running_loop().create_future()

        def heard(one: Heard) -> None:
            if one.tag == names.tag(DEVICE_ID) and wanted(one) and not found.done():
                found.set_result(one)

        async with self.radio.listening(heard):
            try:
                return await asyncio.wait_for(found, timeout_s)
            except TimeoutError:
                raise TimeoutError(f"not heard in {timeout_s:g} s: {what}") from None

    async def open_window(self) -> None:
        """Start the wearable with the button held: it may be paired with for two minutes."""
        for left in reversed(range(_TRIES)):
            await self.control(cmd="press", ms=_HOLD_MS * SPEED)
            await self.control(cmd="cut", off_ms=_OFF_MS)
            try:
                await self.hear("an open pairing window", lambda one: one.may_pair, _WINDOW_S)
                return
            except TimeoutError:
                if not left:
                    raise

    async def transport(self) -> ble.BleTransport:
        """A connection of host_agent's, tried again as its supervisor does."""
        for left in reversed(range(_TRIES)):
            try:
                return await ble.open_ble(self.radio, DEVICE_ID, "ble:scenario")
            except TransportLost:
                if not left:
                    raise
            await asyncio.sleep(_PAUSE_S)
        raise AssertionError("unreachable")

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[DeviceClient]:
        """The custodian's session over a connection of its own, which is down again afterwards."""
        transport = await self.transport()
        client = DeviceClient(transport, [KEY])
        try:
            await client.open(20)
            client.start()
            yield client
        finally:
            await client.close()
            transport.close()
            await transport.closed()

    async def status(self, client: DeviceClient) -> Any:
        """StatusIs."""
        return await client.ask(wire.StatusAsk(), wire.StatusIs)

    async def passkey(self) -> int:
        """The six digits that the custodian's laptop knows."""
        async with self.session() as client:
            return names.passkey(CUSTODIAN.key, client.peer.journal_id)

    @contextlib.asynccontextmanager
    async def any_app(self) -> AsyncIterator[BleakClient]:
        """A connection as any app makes it: bleak, and none of our code above it."""
        client = await self._connected()
        try:
            yield client
        finally:
            with contextlib.suppress(Exception):
                await client.disconnect()

    async def _connected(self) -> BleakClient:
        for left in reversed(range(_TRIES)):
            heard = await self.hear("the wearable")
            try:
                return await establish_connection(BleakClient, heard.device, "any app", max_attempts=1)
            except BleakError:
                if not left:
                    raise
            await asyncio.sleep(_PAUSE_S)
        raise AssertionError("unreachable")

    async def forget(self) -> None:
        """Forget every device on the laptop's side; bonds of the wearable stay."""
        await forget_devices()


async def until(condition: Callable[[], Any], timeout_s: float, what: str) -> Any:
    """Poll until it is true, in a thread, because it may wait itself; its value. TimeoutError names `what`."""
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + timeout_s
    while not (value := await asyncio.to_thread(condition)):
        if loop.time() > deadline_s:
            raise TimeoutError(f"not within {timeout_s:g} s: {what}")
        await asyncio.sleep(_POLL_S)
    return value
