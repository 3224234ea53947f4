"""A bedside without a cable, whatever carries it: a wearable on an air, this system's Bluetooth, the laptop's agent.

What a scenario asks of it stands here. `air_bedside.py` is the simulated air, `tools/lab/bluez_lane/bluez_bedside.py`
real BlueZ: they fill in what only a carrier can do (the methods that raise NotImplementedError).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from bleak import BleakClient
from crs_core.keys import Key
from crs_core.wire import gatt_uuids as names
from crs_core.wire import message as wire

from host_agent.errors import TransportLost
from host_agent.link import ble
from host_agent.link.ble_radio import Heard, Radio
from host_agent.sync.client import DeviceClient
from tools.rig.image import CUSTODIAN, DEVICE_ID
from tools.rig.journal_check import compare
from tools.rig.laptop import device_key
from tools.rig.wearable import Wearable

_OFF_MS = 100
_HEARD_S = 60.0
_WINDOW_S = 15.0
_TRIES = 4
_PAUSE_S = 0.5


class RadioBedside:
    """`wearable` is bound and measures; `radio` is host_agent's own link to it, `database` the store of the agent."""

    held_ms = 1600  # real, of the button: the board must see 0.5 to 3 s of it after its start
    is_bonded = False  # a scenario has paired this system with the wearable

    def __init__(self, folder: Path, wearable: Wearable, database: Path) -> None:
        self.folder, self.wearable, self.database = folder, wearable, database
        self.radio = Radio()

    # -- what only the carrier can do ------------------------------------------------------------------------------

    async def connect_app(self) -> BleakClient:
        """A connection as any app of this system makes it: bleak, and none of our code above it."""
        raise NotImplementedError

    async def type_passkey(self, transport: ble.BleTransport, typed: int) -> None:
        """Pair as host_agent does, with somebody who types `typed` when, and exactly once that, the system asks."""
        raise NotImplementedError

    def nobody_types(self) -> contextlib.AbstractAsyncContextManager[None]:
        """While the block runs, a question for a passkey fails the scenario."""
        raise NotImplementedError

    async def forget(self) -> None:
        """Forget every device on this system's side; bonds of the wearable stay."""
        raise NotImplementedError

    async def power_adapter(self, on: bool) -> None:
        """Switch this system's Bluetooth, as the desktop's switch does."""
        raise NotImplementedError

    async def start_agent(self) -> None:
        """Start the agent, which is enrolled as custodian, with the radio as its only link."""
        raise NotImplementedError

    async def stop_agent(self) -> None:
        """End the agent; it must end well."""
        raise NotImplementedError

    async def link(self) -> dict[str, Any]:
        """The agent's radio link: `state`, `reason`, `code`, `advice`; empty before there is one."""
        raise NotImplementedError

    async def has_caught_up(self) -> bool:
        """Whether the agent is in session and has stored everything that the wearable has numbered."""
        raise NotImplementedError

    # -- what every carrier does alike -----------------------------------------------------------------------------

    async def control(self, cmd: str, **arguments: Any) -> dict[str, Any]:
        """A control command of the virtual wearable."""
        return await asyncio.to_thread(lambda: self.wearable.control(cmd, **arguments))

    async def kill_wearable(self) -> None:
        """Power goes, for the whole board."""
        await asyncio.to_thread(self.wearable.kill)

    async def start_wearable(self) -> None:
        """It starts again on the same flash."""
        await asyncio.to_thread(self.wearable.start)

    async def is_open(self) -> bool:
        """Whether the agent is in session."""
        return (await self.link()).get("state") == "open"

    async def records_agree(self, at_least: int) -> int:
        """Kill the wearable and hold its flash against the store; how many records agree, which must be enough."""
        await self.kill_wearable()
        agreed = await asyncio.to_thread(compare, self.wearable.image, self.database)
        assert agreed >= at_least, f"only {agreed} records"
        return agreed

    async def hear(
        self, what: str, wanted: Callable[[Heard], bool] = lambda _: True, timeout_s: float = _HEARD_S
    ) -> Heard:
        """The first advertisement of the wearable that is `wanted`; TimeoutError names `what`."""
        found: asyncio.Future[Heard] = asyncio.get_running_loop().create_future()

        def heard(one: Heard) -> None:
            if one.is_of(DEVICE_ID, CUSTODIAN.key) and wanted(one) and not found.done():
                found.set_result(one)

        async with self.radio.listening(heard):
            try:
                return await asyncio.wait_for(found, timeout_s)
            except TimeoutError:
                raise TimeoutError(f"not heard in {timeout_s:g} s: {what}") from None

    async def start_with_button(self) -> None:
        """The gesture: power off, button held, power on, button released."""
        await self.control("press", ms=self.held_ms * self.wearable.speed)
        await self.control("cut", off_ms=_OFF_MS)

    async def open_window(self) -> None:
        """Start the wearable with the button held, until it says that it may be paired with."""
        for left in reversed(range(_TRIES)):
            await self.start_with_button()
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
                return await ble.open_ble(self.radio, DEVICE_ID, CUSTODIAN.key, "ble:scenario")
            except TransportLost:
                if not left:
                    raise
            await asyncio.sleep(_PAUSE_S)
        raise AssertionError("unreachable")

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[ble.BleTransport]:
        """A connection of host_agent's, which is down again afterwards."""
        transport = await self.transport()
        try:
            yield transport
        finally:
            transport.close()
            await transport.closed()

    @contextlib.asynccontextmanager
    async def session(self, key: Key = CUSTODIAN) -> AsyncIterator[DeviceClient]:
        """A session under `key` over a connection of its own."""
        async with self.connection() as transport:
            client = DeviceClient(transport, [device_key(key)])
            try:
                await client.open(20)
                client.start()
                yield client
            finally:
                await client.close()

    async def status(self, client: DeviceClient) -> Any:
        """Ask the wearable for its status and return the StatusIs message."""
        return await client.ask(wire.StatusAsk(), wire.StatusIs)

    async def passkey(self) -> int:
        """The six digits that the custodian's laptop knows."""
        async with self.session() as client:
            return names.passkey(CUSTODIAN.key, client.peer.journal_id)

    @contextlib.asynccontextmanager
    async def any_app(self) -> AsyncIterator[BleakClient]:
        """A connection as any app makes it, which is down again afterwards."""
        client = await self.connect_app()
        try:
            yield client
        finally:
            with contextlib.suppress(Exception):
                await client.disconnect()
