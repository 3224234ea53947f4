"""bleak's client on the simulated air."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from bleak.assigned_numbers import gatt_char_props_to_strs
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError
from bumble import att, core, hci
from bumble.device import Advertisement, Connection, Device, Peer

from tools.ble_air.bleak_scanner import uuid_text

if TYPE_CHECKING:
    from tools.ble_air.bleak_backend import Adapter

_STORED_S = 1.0
_GIVEN_UP_S = 0.05


class AirClient(BaseBleakClient):
    """See bleak.BleakClient; made by Adapter.backends()."""

    adapter: "Adapter"

    def __init__(self, address_or_ble_device: BLEDevice | str, **options: Any) -> None:
        super().__init__(
            address_or_ble_device,
            disconnected_callback=options["disconnected_callback"],
            timeout=options["timeout"],
        )
        known = isinstance(address_or_ble_device, BLEDevice)
        self._target: Any = address_or_ble_device.details if known else address_or_ble_device  # type: ignore[union-attr]
        self._name = address_or_ble_device.name if known else None  # type: ignore[union-attr]
        self._connection: Connection | None = None
        self._broken: asyncio.Future[None]  # of this connection; made with it
        self._peer: Peer | None = None
        self._callbacks: dict[int, Any] = {}

    @property
    def name(self) -> str:
        return self._name or self.address.replace(":", "-")

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection."""
        return self._connection is not None

    @property
    def mtu_size(self) -> int:
        """The negotiated ATT MTU, in bytes."""
        return int(self._need().att_mtu)

    def _need(self) -> Connection:
        if self._connection is None:
            raise BleakError("Not connected")
        return self._connection

    async def _att(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Await one ATT procedure or the end of the link; bumble's errors become bleak's."""
        if self._connection is None:
            work.close()
            raise BleakError("Not connected")
        broken, task = self._broken, asyncio.ensure_future(work)
        task.add_done_callback(lambda task: task.cancelled() or task.exception())  # somebody has looked at it
        try:
            # not cancel_on_disconnection: up to Python 3.11 wait_for may swallow that one cancellation, and then the
            # procedure goes on waiting for a link that is gone
            await asyncio.wait({task, broken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            task.cancel()
        if broken.done():
            raise BleakError("disconnected")
        try:
            return task.result()
        except att.ATT_Error as error:
            raise BleakGATTProtocolError(int(error.error_code)) from error

    async def connect(self, pair: bool, **_: Any) -> None:
        """Connect, agree on the MTU, encrypt where a bond is known, discover."""
        device = self.adapter.need()
        async with self.adapter.connecting:
            if isinstance(self._target, str):  # only an address: its type is in the advertisement
                self._target = await self._find(self._target.upper())
            try:
                self._connection = await self._connect(device)
            except core.TimeoutError:
                raise BleakDeviceNotFoundError(self.address, "connecting timed out") from None
            except (core.ConnectionError, hci.HCI_Error) as error:
                raise BleakError(str(error)) from error
        self._broken = asyncio.get_running_loop().create_future()
        self._connection.on("disconnection", self._gone)
        self._connection.on("security_request", lambda _: asyncio.ensure_future(self._quietly_pair()))
        if device.connections.get(self._connection.handle) is not self._connection:
            self._gone(hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)  # it broke before anybody could listen
            raise BleakError("disconnected")
        self._peer = Peer(self._connection)
        try:
            await self._att(self._peer.request_mtu(self.adapter.mtu))
            if pair or await self.adapter.keys.get(str(self._need().peer_address)):
                await self.pair()
            self.services = await self._att(self._discover(self._peer))
        except BaseException:
            await self.disconnect()
            raise

    async def _connect(self, device: Device) -> Connection:
        connecting = asyncio.ensure_future(device.connect(self._target, timeout=self._timeout))
        try:
            return await asyncio.shield(connecting)
        except asyncio.CancelledError:
            # bumble would forget it and leave the controller at it: a connection that nobody has, and nobody else gets
            while not connecting.done():
                with contextlib.suppress(
                    core.BaseBumbleError, hci.HCI_Error
                ):  # not begun, or connected already
                    await device.send_sync_command(hci.HCI_LE_Create_Connection_Cancel_Command())
                await asyncio.wait({connecting}, timeout=_GIVEN_UP_S)
            with contextlib.suppress(core.BaseBumbleError, hci.HCI_Error):
                await (await connecting).disconnect()
            raise

    async def _find(self, address: str) -> Any:
        found: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def heard(advertisement: Advertisement) -> None:
            if advertisement.address.to_string(False) == address and not found.done():
                found.set_result(advertisement.address)

        await self.adapter.listen(heard)
        try:
            return await asyncio.wait_for(found, self._timeout)
        except TimeoutError:
            raise BleakDeviceNotFoundError(self.address, "not found") from None
        finally:
            await self.adapter.unlisten(heard)

    def _gone(self, _reason: int) -> None:
        if self._connection is None:
            return
        self._connection = self._peer = None
        self._broken.set_result(None)
        self._callbacks.clear()
        if self._disconnected_callback:
            self._disconnected_callback()

    async def disconnect(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(core.BaseBumbleError, hci.HCI_Error):
                await self._connection.disconnect()

    async def _quietly_pair(self) -> None:
        with contextlib.suppress(BleakError):
            await self.pair()

    async def pair(self, *_: Any, passkey: int | None = None, **__: Any) -> None:
        """Encrypt with the bond that is known, or make one."""
        connection = self._need()
        if connection.is_encrypted:
            return
        keys = self.adapter.keys
        if await keys.get(str(connection.peer_address)):
            try:
                await self._att(connection.encrypt())
            except hci.HCI_Error as error:
                raise BleakError(f"the bond is refused: {error}") from error
            return
        name = str(connection.peer_address)
        try:
            await self.adapter.with_passkey(passkey, self._att(connection.pair()))
        except (core.ProtocolError, core.BaseBumbleError) as error:
            raise BleakError(f"pairing failed: {error}") from error
        deadline = asyncio.get_running_loop().time() + _STORED_S
        while await keys.get(name) is None and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.005)  # bumble keeps the keys in a task of its own

    async def unpair(self) -> None:
        """Forget the bond and end the link."""
        for name, _ in await self.adapter.keys.get_all():
            if name.split("/")[0].upper() == self.address.upper():
                await self.adapter.keys.delete(name)
        await self.disconnect()

    async def _discover(self, peer: Peer) -> BleakGATTServiceCollection:
        found = BleakGATTServiceCollection()
        await peer.discover_services()
        for service in peer.services:
            own = BleakGATTService(service, service.handle, uuid_text(service.uuid))
            found.add_service(own)
            for characteristic in await service.discover_characteristics():
                properties = list(gatt_char_props_to_strs(characteristic.properties))
                made = BleakGATTCharacteristic(
                    characteristic, characteristic.handle, uuid_text(characteristic.uuid), properties,
                    lambda: self.mtu_size - 3, own,
                )  # fmt: skip
                found.add_characteristic(made)
                for descriptor in await characteristic.discover_descriptors():
                    found.add_descriptor(
                        BleakGATTDescriptor(descriptor, descriptor.handle, uuid_text(descriptor.type), made)
                    )
        return found

    def _client(self) -> Any:
        self._need()
        assert self._peer is not None
        return self._peer.gatt_client

    async def read_gatt_char(self, characteristic: BleakGATTCharacteristic, **_: Any) -> bytearray:
        return bytearray(await self._att(self._client().read_value(characteristic.obj.handle)))

    async def read_gatt_descriptor(self, descriptor: BleakGATTDescriptor, **_: Any) -> bytearray:
        return bytearray(await self._att(self._client().read_value(descriptor.handle)))

    async def write_gatt_char(
        self, characteristic: BleakGATTCharacteristic, data: Any, response: bool
    ) -> None:
        await self._att(self._client().write_value(characteristic.obj.handle, bytes(data), response))

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: Any) -> None:
        await self._att(self._client().write_value(descriptor.handle, bytes(data), True))

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **_: Any
    ) -> None:
        """Subscribe; notifications before indications."""

        def take(value: bytes) -> None:
            callback(bytearray(value))

        prefer_notify = "notify" in characteristic.properties
        await self._att(characteristic.obj.subscribe(take, prefer_notify=prefer_notify))
        self._callbacks[characteristic.handle] = take

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        take = self._callbacks.pop(characteristic.handle, None)
        if take is not None:
            await self._att(characteristic.obj.unsubscribe(take))
