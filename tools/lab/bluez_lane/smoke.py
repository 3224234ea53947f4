"""Does the lane itself work? Real BlueZ meets a small simulated peripheral; runs in the guest, see the README.

Found, connected, read, notified, refused with a wrong passkey, paired with the right one, reconnected with the bond,
unpaired. One line for each step with its time; exit 0 when every step passed.
"""

import asyncio
import secrets
import sys
import tempfile
import time
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from pathlib import Path

from bleak import BleakClient, BleakScanner
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.exc import BleakError
from bumble import data_types, hci
from bumble.core import UUID, AdvertisingData
from bumble.device import AdvertisingType, Connection, Device
from bumble.gatt import Characteristic, Service
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.transport import open_transport
from bumble.transport.common import Transport

from host_agent.link.bluez_agent import PasskeyAgent, passkey_agent
from tools.lab.bluez_lane.lane_air import lane_air

SERVICE = "8d3f0000-5b1c-4f7e-9c55-2f3a4c2b7e10"
PLAIN = "8d3f0001-5b1c-4f7e-9c55-2f3a4c2b7e10"
NOTIFYING = "8d3f0002-5b1c-4f7e-9c55-2f3a4c2b7e10"
LOCKED = "8d3f0003-5b1c-4f7e-9c55-2f3a4c2b7e10"
NOTIFICATIONS = 200
CONNECT_TRIES = 5
CONNECT_PAUSE_S = 0.3
STEP_S = 30.0
WHOLE_S = 120.0


class Display(PairingDelegate):
    """A peripheral that can only show six digits; the newest are in `shown`."""

    def __init__(self) -> None:
        super().__init__(PairingDelegate.IoCapability.DISPLAY_OUTPUT_ONLY)
        self.shown: asyncio.Queue[int] = asyncio.Queue()

    async def generate_passkey(self) -> int:
        """New digits for each attempt."""
        passkey = secrets.randbelow(1_000_000)
        self.shown.put_nowait(passkey)
        return passkey


class Peripheral:
    """Three characteristics: one open, one that notifies once it is subscribed to, one only for a paired reader."""

    def __init__(self, radio: Transport) -> None:
        self.display = Display()
        self.device = Device.with_hci("smoke", hci.Address("C4:F2:17:08:1A:33"), radio.source, radio.sink)
        can, may = Characteristic.Properties, Characteristic.Permissions
        self.notifying = Characteristic[bytes](NOTIFYING, can.NOTIFY, Characteristic.Permissions(0), b"")
        locked = may.READABLE | may.READ_REQUIRES_AUTHENTICATION
        service = Service(
            SERVICE,
            [
                Characteristic[bytes](PLAIN, can.READ, may.READABLE, b"open"),
                self.notifying,
                Characteristic[bytes](LOCKED, can.READ, locked, b"for the paired"),
            ],
        )
        self.device.add_service(service)
        self.device.pairing_config_factory = self._pairing

    def _pairing(self, _connection: Connection) -> PairingConfig:
        identity = PairingConfig.AddressType.RANDOM
        return PairingConfig(delegate=self.display, identity_address_type=identity)

    async def advertise(self) -> None:
        """Advertise, and again after every connection."""
        await self.device.power_on()
        data = AdvertisingData(
            [
                data_types.Flags(AdvertisingData.Flags.LE_GENERAL_DISCOVERABLE_MODE),
                data_types.CompleteListOf128BitServiceUUIDs([UUID(SERVICE)]),
                data_types.CompleteLocalName("smoke"),
            ]
        )
        await self.device.start_advertising(
            advertising_type=AdvertisingType.UNDIRECTED_CONNECTABLE_SCANNABLE,
            auto_restart=True,
            advertising_data=bytes(data),
            advertising_interval_min=50.0,
            advertising_interval_max=50.0,
        )

    async def silence(self) -> None:
        """Stop advertising once the central is gone."""
        async with asyncio.timeout(STEP_S):
            while not self.device.is_advertising:  # it begins again when a connection ends
                await asyncio.sleep(CONNECT_PAUSE_S)
        await self.device.power_off()

    async def notify(self, count: int) -> None:
        """Send the numbers 0 to count - 1."""
        for number in range(count):
            await self.device.notify_subscribers(self.notifying, number.to_bytes(20, "little"))


class Steps:
    """Prints what was done and how long it took."""

    def __init__(self) -> None:
        self._since_s = time.monotonic()

    def done(self, what: str) -> None:
        """End the step that ran until now."""
        now_s = time.monotonic()
        print(f"smoke: {what}: {now_s - self._since_s:.3f} s", flush=True)
        self._since_s = now_s


class Typist:
    """What the person with the keyboard types: the shown digits, or others when `mistaken`."""

    def __init__(self, display: Display) -> None:
        self._display = display
        self.mistaken = False

    async def answer(self, _device: str) -> int:
        """Read the display and type."""
        shown = await self._display.shown.get()
        return (shown + 1) % 1_000_000 if self.mistaken else shown


async def fails(attempt: Awaitable[None], what: str) -> None:
    """The attempt must raise bleak's error."""
    try:
        async with asyncio.timeout(STEP_S):
            await attempt
    except BleakError as error:
        print(f"smoke: {what}: {error}", flush=True)
        return
    raise AssertionError(f"not refused: {what}")


async def connect(device: BLEDevice, gone: asyncio.Event | None = None) -> BleakClient:
    """Connect, again when BlueZ or bleak stumbles (README: what only this lane shows); each such attempt is printed.

    Each attempt has a client of its own: one that gave up may believe for ever that it is connected.
    """
    ended = gone or asyncio.Event()
    for attempt in range(1, CONNECT_TRIES + 1):
        client = BleakClient(device, disconnected_callback=lambda _client: ended.set())
        try:
            await client.connect()
            return client
        except BleakError as error:
            print(f"smoke: attempt {attempt} to connect: {error}", flush=True)
            if attempt == CONNECT_TRIES:
                raise
        await asyncio.sleep(CONNECT_PAUSE_S)
    raise AssertionError("unreachable")


async def use(peripheral: Peripheral, agent: PasskeyAgent, typist: Typist) -> None:
    """Everything a bedside laptop does with a wearable."""
    steps = Steps()
    device = await BleakScanner.find_device_by_filter(
        lambda _device, seen: SERVICE in seen.service_uuids and seen.local_name == "smoke", timeout=STEP_S
    )
    assert device is not None, "the peripheral was not found"
    steps.done(f"found {device.address}")

    gone = asyncio.Event()
    client = await connect(device, gone)
    steps.done(f"connected over {client.backend_id}")
    assert await client.read_gatt_char(PLAIN) == b"open"
    steps.done("read")

    got: list[int] = []
    full = asyncio.Event()

    def received(_characteristic: BleakGATTCharacteristic, value: bytearray) -> None:
        got.append(int.from_bytes(value, "little"))
        if len(got) == NOTIFICATIONS:
            full.set()

    await client.start_notify(NOTIFYING, received)
    steps.done("subscribed")
    await peripheral.notify(NOTIFICATIONS)
    async with asyncio.timeout(STEP_S):
        await full.wait()
    assert got == list(range(NOTIFICATIONS)), "notifications out of order"
    steps.done(f"{NOTIFICATIONS} notifications in order")

    gone.clear()
    typist.mistaken = True
    await fails(client.pair(), "pairing with a wrong passkey refused")
    steps.done("wrong passkey")
    # Linux ends the connection after a failed pairing, a little later than it says that it failed.
    async with asyncio.timeout(STEP_S):
        await gone.wait()
    steps.done("disconnected by the kernel")
    client = await connect(device)
    steps.done("connected again")
    typist.mistaken = False
    asked = agent.asked
    await client.pair()
    assert agent.asked == asked + 1, "paired without asking for the passkey"
    steps.done("paired with the passkey")
    assert await client.read_gatt_char(LOCKED) == b"for the paired"
    steps.done("read what only the paired may read")

    await client.disconnect()
    steps.done("disconnected")
    client = await connect(device)
    assert await client.read_gatt_char(LOCKED) == b"for the paired"
    assert agent.asked == asked + 1, "the bond was forgotten"
    steps.done("reconnected with the bond and read")
    await client.unpair()
    steps.done("unpaired")


async def main() -> int:
    """Set up the air, the kernel's adapter and the agent, and use them."""
    steps = Steps()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        air = await stack.enter_async_context(lane_air(folder))
        peripheral = Peripheral(await stack.enter_async_context(await open_transport(air.hci)))
        await peripheral.advertise()
        steps.done("adapter powered")
        typist = Typist(peripheral.display)
        agent = await stack.enter_async_context(passkey_agent(typist.answer))
        async with asyncio.timeout(WHOLE_S):
            await use(peripheral, agent, typist)
            await peripheral.silence()
    print("smoke: passed")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
