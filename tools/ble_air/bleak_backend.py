"""A bleak backend on a bumble host: the central's side of the simulated air, with the whole of bleak's API above it.

    adapter = await Adapter.open(link=air.link)         # a radio in this process
    adapter = await Adapter.open(hci=air.hci)           # or one in the process that runs the air
    scanner, client = adapter.backends()                # classes for BleakScanner(backend=) and BleakClient(backend=)

`client.pair(passkey=123456)` types the number that the wearable shows; without one only Just Works can be tried.
Bonds live in `adapter.keys`, in memory.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason
from bumble import hci
from bumble.device import Advertisement, Device
from bumble.host import Host
from bumble.keys import MemoryKeyStore
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.transport import open_transport
from bumble.transport.common import Transport

from tools.ble_air.bleak_client import AirClient
from tools.ble_air.bleak_scanner import AirScanner
from tools.ble_air.controller import AirController
from tools.ble_air.link import AirLink

CENTRAL_ADDRESS = "F0:F1:F2:F3:F4:F5"


class _Keyboard(PairingDelegate):
    """Types the passkey of the moment; without one it has neither keys nor screen."""

    def __init__(self, passkey: int | None) -> None:
        super().__init__(self.NO_OUTPUT_NO_INPUT if passkey is None else self.KEYBOARD_INPUT_ONLY)
        self._passkey = passkey

    async def get_number(self) -> int | None:
        return self._passkey


class Adapter:
    """One host stack with its radio; any number of scanners and clients share it. Close it in the loop that opened it.

    `mtu` is what this central asks for; `passkey` what the next pairing types.
    """

    def __init__(self, device: Device, transport: Transport | None, mtu: int) -> None:
        self.device, self._transport, self.mtu = device, transport, mtu
        self.keys = MemoryKeyStore()
        self.passkey: int | None = None
        self.is_lost = False
        self.controller: AirController | None = None
        self.connecting = asyncio.Lock()  # a controller makes one connection at a time
        self._listeners: dict[Callable[[Advertisement], None], None] = {}  # in the order in which they came
        device.keystore = self.keys
        device.pairing_config_factory = self._pairing
        device.on("advertisement", self._heard)

    @classmethod
    async def open(
        cls, link: AirLink | None = None, hci: str = "", address: str = CENTRAL_ADDRESS, mtu: int = 247
    ) -> "Adapter":
        """Power a radio up: on `link`, or behind the bumble transport `hci`."""
        transport, controller = None, None
        if link is not None:
            device = Device(name="central", address=_address(address))
            device.host = Host()
            controller = AirController("central", link)
            device.host.controller = controller
        else:
            transport = await open_transport(hci)
            device = Device.with_hci("central", _address(address), transport.source, transport.sink)
        adapter = cls(device, transport, mtu)
        adapter.controller = controller
        device.host.on("flush", adapter._lost)
        await device.power_on()
        return adapter

    async def close(self) -> None:
        """Power the radio down; its connections end."""
        self.is_lost = True
        if self.controller is not None:
            self.controller.close()
        if self._transport is not None:
            await self._transport.close()

    def backends(self) -> tuple[type[AirScanner], type[AirClient]]:
        """Scanner and client class of this adapter: bleak takes types."""
        scanner = type("ScannerOnAir", (AirScanner,), {"adapter": self})
        client = type("ClientOnAir", (AirClient,), {"adapter": self})
        return scanner, client

    def need(self) -> Device:
        """The device; BleakBluetoothNotAvailableError when the radio is off."""
        if self.is_lost:
            raise BleakBluetoothNotAvailableError(
                "the adapter is off", BleakBluetoothNotAvailableReason.POWERED_OFF
            )
        return self.device

    async def listen(self, listener: Callable[[Advertisement], None], active: bool = True) -> None:
        """Hear advertisements until `unlisten`."""
        device = self.need()
        self._listeners[listener] = None
        if not device.is_scanning:
            await device.start_scanning(active=active, filter_duplicates=False)

    async def unlisten(self, listener: Callable[[Advertisement], None]) -> None:
        """Hear no more; the last one stops the scan."""
        self._listeners.pop(listener, None)
        if not self._listeners and self.device.is_scanning and not self.is_lost:
            await self.device.stop_scanning()

    async def with_passkey(self, passkey: int | None, work: Awaitable[None]) -> None:
        """Await `work` while `passkey` is the number to type."""
        self.passkey = passkey
        try:
            await work
        finally:
            self.passkey = None

    def _heard(self, advertisement: Advertisement) -> None:
        for listener in list(self._listeners):
            listener(advertisement)

    def _pairing(self, _connection: Any) -> PairingConfig:
        return PairingConfig(
            sc=True, mitm=self.passkey is not None, bonding=True, delegate=_Keyboard(self.passkey),
            identity_address_type=PairingConfig.AddressType.RANDOM,
        )  # fmt: skip

    def _lost(self) -> None:
        self.is_lost = True
        with contextlib.suppress(Exception):
            for connection in list(self.device.connections.values()):
                connection.emit("disconnection", hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)


def _address(text: str) -> hci.Address:
    return hci.Address(text)
