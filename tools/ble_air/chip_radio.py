"""The radio of one chip: what its `bluetooth` module asks, done on a bumble device on the air (see codes.py)."""

import asyncio
import json
import struct
from collections import deque
from typing import Any

from bumble import att, hci
from bumble.device import AdvertisingType, Connection, Device
from bumble.host import Host
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.smp import PairingMethod

from tools.ble_air import codes
from tools.ble_air.chip_gatt import ChipGatt
from tools.ble_air.controller import AirController
from tools.ble_air.link import AirLink
from tools.ble_air.secret_store import SecretStore

_EIO, _ENOTCONN = 5, 107
_PASSKEY_S = 30.0
_UNLIKELY = int(att.ErrorCode.UNLIKELY_ERROR)
_DISPLAY, _INPUT, _COMPARE = 3, 2, 4
_IO = (
    PairingDelegate.DISPLAY_OUTPUT_ONLY, PairingDelegate.DISPLAY_OUTPUT_AND_YES_NO_INPUT,
    PairingDelegate.KEYBOARD_INPUT_ONLY, PairingDelegate.NO_OUTPUT_NO_INPUT,
    PairingDelegate.DISPLAY_OUTPUT_AND_KEYBOARD_INPUT,
)  # fmt: skip


class _Delegate(PairingDelegate):
    def __init__(self, radio: "ChipRadio", connection: Connection) -> None:
        super().__init__(_IO[radio.config["io"]])
        self._radio, self._connection = radio, connection

    async def generate_passkey(self) -> int:
        return await self._radio.ask_passkey(self._connection, _DISPLAY, 0)

    async def display_number(self, number: int, digits: int) -> None:
        """Nothing: the chip chose the number itself and shows it."""

    async def get_number(self) -> int | None:
        return await self._radio.ask_passkey(self._connection, _INPUT, 0)

    async def compare_numbers(self, number: int, digits: int) -> bool:
        return bool(await self._radio.ask_passkey(self._connection, _COMPARE, number))


class ChipRadio:
    """Serves one chip's stream until it ends; then the radio is gone, as with the chip's power."""

    def __init__(self, link: AirLink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._link, self._reader, self._writer = link, reader, writer
        self.config: dict[str, Any] = {}
        self.controller: AirController | None = None
        self._device: Device | None = None
        self._gatt: ChipGatt | None = None
        self.authenticated: set[int] = set()  # connections whose key somebody vouched for
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._last_id = 0
        self._on_their_way: deque[int] = deque()  # count of the queue at which each notification has left
        self._passkey: asyncio.Future[int] | None = None
        self._jobs: set[asyncio.Task[None]] = set()
        self._securing: dict[int, asyncio.Task[None]] = {}  # by connection: its security is being told

    async def serve(self) -> None:
        """Read frames until the chip hangs up."""
        try:
            while True:
                length, operation, number = struct.unpack("<HBB", await self._reader.readexactly(4))
                body = await self._reader.readexactly(length)
                if operation == codes.REPLY:
                    self._answered(number, body)
                elif number:
                    job = asyncio.ensure_future(self._carry_out(operation, number, body))
                    self._jobs.add(job)
                    job.add_done_callback(self._jobs.discard)
                else:
                    await self._push(operation, body)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(att.ATT_Error(att.ErrorCode.UNLIKELY_ERROR))
            self._writer.close()
            self._off()

    def hang_up(self) -> None:
        """End this chip's stream from the air."""
        self._writer.close()

    # -- frames ----------------------------------------------------------------------------------------------------

    def tell(self, operation: int, body: bytes, number: int = 0) -> None:
        """Send one frame to the chip."""
        if not self._writer.is_closing():
            self._writer.write(struct.pack("<HBB", len(body), operation, number) + body)

    async def ask(self, operation: int, body: bytes) -> bytes:
        """Ask the chip; att.ATT_Error with the code that it answered."""
        self._last_id = self._last_id % 255 + 1
        future = self._waiting[self._last_id] = asyncio.get_running_loop().create_future()
        self.tell(operation, body, self._last_id)
        return await future

    async def _settled(self, connection: int) -> None:
        """Wait until the chip has been told how secure a connection is."""
        if securing := self._securing.get(connection):
            await asyncio.wait({securing})

    def _answered(self, number: int, body: bytes) -> None:
        future = self._waiting.pop(number, None)
        if future is None or future.done():
            return
        if body[0]:
            future.set_exception(att.ATT_Error(att.ErrorCode(body[0])))
        else:
            future.set_result(body[1:])

    async def _carry_out(self, operation: int, number: int, body: bytes) -> None:
        try:
            answer = b"\0" + (await self._do(operation, body) or b"")
        except OSError as error:
            answer = bytes([error.errno or _EIO])
        except Exception as error:
            print(f"air: {operation}: {error!r}", flush=True)
            answer = bytes([_EIO])
        self.tell(codes.REPLY, answer, number)

    # -- what a chip asks ------------------------------------------------------------------------------------------

    async def _do(self, operation: int, body: bytes) -> bytes | None:
        device = self._device
        if operation == codes.ACTIVE:
            await self._on(json.loads(body))
        elif device is None:
            raise OSError(_ENOTCONN, "the radio is off")
        elif operation == codes.INACTIVE:
            self._off()
        elif operation == codes.CONFIG:
            self.config.update(json.loads(body))
            self._use_config(device)
            address = hci.Address(self.config["address"])
            if address != device.random_address:
                device.random_address = address
                await device.send_command(hci.HCI_LE_Set_Random_Address_Command(random_address=address))
        elif operation == codes.REGISTER:
            assert self._gatt is not None
            return json.dumps(self._gatt.register(json.loads(body))).encode()
        elif operation == codes.ADVERTISE:
            await self._advertise(device, body)
        elif operation == codes.ADVERTISE_STOP:
            if device.is_advertising:
                await device.stop_advertising()
        elif operation == codes.DISCONNECT:
            await self._connection(body).disconnect()
        elif operation == codes.PAIR:
            self._connection(body).request_pairing()
        elif operation == codes.PASSKEY and self._passkey is not None and not self._passkey.done():
            self._passkey.set_result(struct.unpack_from("<I", body, 3)[0])
        return None

    async def _on(self, settings: dict[str, Any]) -> None:
        self.config = settings
        device = Device(name="wearable", address=hci.Address(settings["address"]))
        device.host = Host()
        self.controller = AirController("wearable", self._link)
        device.host.controller = self.controller
        device.irk = bytes.fromhex(settings["irk"])
        device.keystore = SecretStore(self._get_secret, self._set_secret)
        device.on("connection", self._connected)
        self._gatt = ChipGatt(device, self.ask, self._settled, self.authenticated)
        self._device = device
        self._on_their_way.clear()
        self._use_config(device)
        await device.power_on()
        assert device.host.le_acl_packet_queue is not None
        device.host.le_acl_packet_queue.on("flow", self._settle)

    def _off(self) -> None:
        self._device = None
        if self.controller is not None:
            self.controller.close()
            self.controller = None

    def _use_config(self, device: Device) -> None:
        config = self.config
        device.gatt_server.max_mtu = config["mtu"]
        device.pairing_config_factory = lambda connection: PairingConfig(
            sc=bool(config["le_secure"]), mitm=bool(config["mitm"]), bonding=bool(config["bond"]),
            delegate=_Delegate(self, connection), identity_address_type=PairingConfig.AddressType.RANDOM,
        )  # fmt: skip

    async def _advertise(self, device: Device, body: bytes) -> None:
        interval_us, connectable, size = struct.unpack_from("<IBB", body)
        data, response = body[6 : 6 + size], body[6 + size :]
        if device.is_advertising:
            await device.stop_advertising()
        kind = AdvertisingType.UNDIRECTED
        if connectable:
            kind = AdvertisingType.UNDIRECTED_CONNECTABLE_SCANNABLE
        elif response:
            kind = AdvertisingType.UNDIRECTED_SCANNABLE
        device.advertising_data, device.scan_response_data = data, response
        await device.start_advertising(
            kind, auto_restart=False, advertising_data=data, scan_response_data=response,
            advertising_interval_min=interval_us / 1000, advertising_interval_max=interval_us / 1000,
        )  # fmt: skip

    def _connection(self, body: bytes) -> Connection:
        connection = self._device.connections.get(struct.unpack_from("<H", body)[0]) if self._device else None
        if connection is None:
            raise OSError(_ENOTCONN, "no such connection")
        return connection

    async def _push(self, operation: int, body: bytes) -> None:
        number, handle = struct.unpack_from("<HH", body)
        device, gatt, value = self._device, self._gatt, body[4:]
        if device is None or gatt is None:
            return
        attribute, connection = gatt.attribute(handle), device.connections.get(number)
        if attribute is not None:
            if operation == codes.UPDATE:
                await self._update(device, attribute, value)
            elif connection is not None and operation == codes.NOTIFY:
                await device.gatt_server.notify_subscriber(connection, attribute, value, force=True)
            elif connection is not None and operation == codes.INDICATE:
                self._spawn(self._indicate(connection, attribute, value))
        queue = device.host.le_acl_packet_queue
        assert queue is not None
        self._on_their_way.append(queue.queued)
        self._settle()

    def _settle(self) -> None:
        """The chip's buffers are free again for what the controller has sent."""
        queue = self._device.host.le_acl_packet_queue if self._device is not None else None
        sent = 0
        while queue is not None and self._on_their_way and queue.completed >= self._on_their_way[0]:
            self._on_their_way.popleft()
            sent += 1
        if sent:
            self.tell(codes.SENT, bytes([sent]))

    async def _update(self, device: Device, attribute: Any, value: bytes) -> None:
        for connection in list(device.connections.values()):
            cccd = device.gatt_server.subscribers.get(connection, {}).get(attribute.handle, b"\0\0")
            if cccd[0] & 1:
                await device.gatt_server.notify_subscriber(connection, attribute, value)
            elif cccd[0] & 2:
                self._spawn(self._indicate(connection, attribute, value))

    async def _indicate(self, connection: Connection, attribute: Any, value: bytes) -> None:
        assert self._device is not None
        status = 0
        try:
            await self._device.gatt_server.indicate_subscriber(connection, attribute, value, force=True)
        except Exception:  # the central went, or confirmed nothing
            status = 13
        self.tell(codes.INDICATED, struct.pack("<HHB", connection.handle, attribute.handle, status))

    # -- what the air tells ----------------------------------------------------------------------------------------

    def _connected(self, connection: Connection) -> None:
        peer = connection.peer_address
        who = struct.pack("<HB", connection.handle, peer.address_type & 1) + bytes(reversed(bytes(peer)))
        is_pairing = False

        def encrypted() -> None:
            self._securing[connection.handle] = self._spawn(self._tell_security(connection, is_pairing))

        def pairing_started() -> None:
            nonlocal is_pairing
            is_pairing = True
            if self._device is not None and self._device.keystore is not None:
                # as NimBLE and MicroPython do: who asks to pair again has no bond any more, whoever that is
                self._spawn(self._device.keystore.delete(str(peer)))

        def mtu() -> None:
            self.tell(codes.MTU, struct.pack("<HH", connection.handle, connection.att_mtu))

        def gone(_reason: int) -> None:
            if self._passkey is not None and not self._passkey.done():
                self._passkey.cancel()
            self.authenticated.discard(connection.handle)
            self._securing.pop(connection.handle, None)
            self.tell(codes.DISCONNECTED, who)
            asyncio.get_running_loop().call_soon(self._settle)

        self.tell(codes.CONNECTED, who)
        connection.on("disconnection", gone)
        connection.on("connection_att_mtu_update", mtu)
        connection.on("pairing_start", pairing_started)
        connection.on("pairing_failure", lambda _reason: encrypted())
        connection.on("connection_encryption_change", encrypted)

    async def _tell_security(self, connection: Connection, is_pairing: bool) -> None:
        device = self._device
        if device is None or device.keystore is None:
            return
        encrypted = bool(connection.is_encrypted)
        # bumble calls every encrypted link authenticated; what counts is how its key came to be
        if is_pairing:
            session = device.smp_manager.sessions.get(connection.handle)
            authenticated = session is not None and session.pairing_method != PairingMethod.JUST_WORKS
            bonded = bool(self.config["bond"])
        else:
            keys = await device.keystore.get(str(connection.peer_address))
            bonded = keys is not None
            authenticated = keys is not None and keys.ltk is not None and keys.ltk.authenticated
        authenticated = authenticated and encrypted
        if authenticated:
            self.authenticated.add(connection.handle)
        flags = (encrypted, authenticated, encrypted and bonded)
        body = struct.pack("<HBBBB", connection.handle, *map(int, flags), 16 if encrypted else 0)
        self.tell(codes.ENCRYPTED, body)

    async def ask_passkey(self, connection: Connection, action: int, number: int) -> int:
        """The passkey of the firmware; waits until it calls gap_passkey."""
        self._passkey = asyncio.get_running_loop().create_future()
        self.tell(codes.PASSKEY, struct.pack("<HBI", connection.handle, action, number))
        return await asyncio.wait_for(self._passkey, _PASSKEY_S)

    async def _get_secret(self, kind: int, key: bytes) -> bytes | None:
        try:
            return await self.ask(codes.GET_SECRET, bytes([kind, 0]) + key)
        except att.ATT_Error:
            return None

    async def _set_secret(self, kind: int, key: bytes, value: bytes | None) -> None:
        await self.ask(codes.SET_SECRET, bytes([kind, len(key)]) + key + (value or b""))

    def _spawn(self, work: Any) -> asyncio.Task[None]:
        job = asyncio.ensure_future(work)
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)
        return job
