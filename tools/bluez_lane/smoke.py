"""Does the lane itself work? Real BlueZ meets a small simulated peripheral; runs in the guest, see the README.

Found, connected, read, notified, refused with a wrong passkey, paired with the right one, reconnected with the bond,
unpaired. One line for each step with its time; exit 0 when all were as they must be.
"""

import asyncio
import secrets
import socket
import sys
import time
from collections.abc import Awaitable
from contextlib import AsyncExitStack

from bleak import BleakClient, BleakScanner
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.exc import BleakError
from bumble import data_types, hci
from bumble.controller import Controller
from bumble.core import UUID, AdvertisingData, PhysicalTransport
from bumble.device import AdvertisingType, Connection, Device
from bumble.gatt import Characteristic, Service
from bumble.host import Host
from bumble.link import LocalLink
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.transport.common import AsyncPipeSink
from bumble.transport.tcp_server import open_tcp_server_transport_with_socket

from tools.bluez_lane.bus import power_on
from tools.bluez_lane.passkey_agent import PasskeyAgent, passkey_agent

SERVICE = "8d3f0000-5b1c-4f7e-9c55-2f3a4c2b7e10"
PLAIN = "8d3f0001-5b1c-4f7e-9c55-2f3a4c2b7e10"
NOTIFYING = "8d3f0002-5b1c-4f7e-9c55-2f3a4c2b7e10"
LOCKED = "8d3f0003-5b1c-4f7e-9c55-2f3a4c2b7e10"
NOTIFICATIONS = 200
CONNECT_TRIES = 5
CONNECT_PAUSE_S = 0.3
STEP_S = 30.0
WHOLE_S = 120.0


class Air(LocalLink):
    """bumble's air, which names the sender of data by its random address even when it speaks with its public one."""

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: hci.Address,
        transport: PhysicalTransport,
        data: bytes,
    ) -> None:
        """Hand the data over under the address with which the sender entered the connection."""
        receiver = self.find_le_controller(destination_address)
        sender = sender_controller.le_connections.get(destination_address)
        if transport is not PhysicalTransport.LE or receiver is None or sender is None:
            super().send_acl_data(sender_controller, destination_address, transport, data)
            return
        deliver = receiver.on_link_acl_data
        asyncio.get_running_loop().call_soon(deliver, sender.self_address, transport, data)


class BluezController(Controller):
    """A simulated controller with which Linux gets along."""

    # With these Linux waits for events that bumble's controller never sends, and every later connection fails.
    NOT_REALLY = (
        hci.LeFeatureMask.LL_PRIVACY
        | hci.LeFeatureMask.LE_EXTENDED_ADVERTISING
        | hci.LeFeatureMask.LE_PERIODIC_ADVERTISING
    )
    le_features = Controller.le_features & ~NOT_REALLY

    def on_hci_le_create_connection_cancel_command(
        self, _command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> hci.HCI_StatusReturnParameters:
        """Give up a connection that was asked for, and say so; bumble forgets to do either."""
        wanted = self.pending_le_connection
        if wanted is None:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        self.pending_le_connection = None
        given_up = hci.HCI_LE_Connection_Complete_Event(
            status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
            connection_handle=0,
            role=hci.Role.CENTRAL,
            peer_address_type=wanted.peer_address.address_type,
            peer_address=wanted.peer_address,
            connection_interval=0,
            peripheral_latency=0,
            supervision_timeout=0,
            central_clock_accuracy=0,
        )
        asyncio.get_running_loop().call_soon(self.send_hci_packet, given_up)
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)


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

    def __init__(self, air: LocalLink) -> None:
        controller = Controller("peripheral", link=air)
        self.display = Display()
        self.device = Device(
            name="smoke",
            address=hci.Address("C4:F2:17:08:1A:33"),
            host=Host(controller, AsyncPipeSink(controller)),
        )
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
        """Be found, again after every connection."""
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


async def connect(client: BleakClient) -> None:
    """Connect, again when BlueZ or bleak stumbles (README: what only this lane shows); each such attempt is printed."""
    for attempt in range(1, CONNECT_TRIES + 1):
        try:
            await client.connect()
            return
        except BleakError as error:
            print(f"smoke: attempt {attempt} to connect: {error}", flush=True)
            if attempt == CONNECT_TRIES:
                raise
        # A connection that bleak gives up is undone by BlueZ two seconds later; until then bleak refuses a new one.
        async with asyncio.timeout(STEP_S):
            while client.is_connected:
                await asyncio.sleep(CONNECT_PAUSE_S)
        await asyncio.sleep(CONNECT_PAUSE_S)


async def use(peripheral: Peripheral, agent: PasskeyAgent, typist: Typist) -> None:
    """Everything a bedside laptop does with a wearable."""
    steps = Steps()
    device = await BleakScanner.find_device_by_filter(
        lambda _device, seen: SERVICE in seen.service_uuids and seen.local_name == "smoke", timeout=STEP_S
    )
    assert device is not None, "the peripheral was not found"
    steps.done(f"found {device.address}")

    gone = asyncio.Event()
    client = BleakClient(device, disconnected_callback=lambda _client: gone.set())
    await connect(client)
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
    await connect(client)
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
    await connect(client)
    assert await client.read_gatt_char(LOCKED) == b"for the paired"
    assert agent.asked == asked + 1, "the bond was forgotten"
    steps.done("reconnected with the bond and read")
    await client.unpair()
    steps.done("unpaired")


async def main() -> int:
    """Set up the air, the kernel's adapter and the agent, and use them."""
    steps = Steps()
    async with AsyncExitStack() as stack:
        # asyncio turns off Nagle's delay (50 ms for each answer) only when the socket itself says that it is TCP.
        door = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP))
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
        air = Air()  # type: ignore[no-untyped-call]  # bumble leaves it so
        hci_port = await stack.enter_async_context(await open_tcp_server_transport_with_socket(door))
        BluezController("bluez", hci_port.source, hci_port.sink, air, "F4:12:FA:00:00:01")
        peripheral = Peripheral(air)
        await peripheral.advertise()
        vhci = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tools.bluez_lane.vhci", f"127.0.0.1:{port}"
        )
        try:
            await power_on(STEP_S)
            steps.done("adapter powered")
            typist = Typist(peripheral.display)
            agent = await stack.enter_async_context(passkey_agent(typist.answer))
            async with asyncio.timeout(WHOLE_S):
                await use(peripheral, agent, typist)
        finally:
            if vhci.returncode is None:
                vhci.terminate()
            await vhci.wait()
        assert vhci.returncode == 0, "the pipe to /dev/vhci ended badly"
    print("smoke: passed")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
