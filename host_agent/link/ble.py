"""A wearable's private Bluetooth service as a transport: fragments are written to it and notified by it.

It works through bleak on every system. A connection says nothing about life: the sync engine's heartbeat judges that,
and this transport only reports when the link is known to be gone.
"""

import asyncio
import contextlib
import sys
from collections import deque
from collections.abc import Callable
from typing import Any

from crs_core.wire import gatt_uuids as names

from host_agent.errors import PairingFailed, RadioUnavailable, TransportLost
from host_agent.link.ble_radio import Heard, Radio, spoken

FRAGMENT_MAX = 244
CONNECT_S = 20.0  # real, all attempts
WRITE_S = 5.0
_FRAGMENT_MIN = 20
_CLOSE_S = 5.0  # BlueZ keeps a connection for two seconds, in case another program wants it
_ATTEMPTS = 3
_ADVICE = "The wearable may be out of reach or restarting. The agent goes on looking for it."
_FIRST_AND_LAST = 0xC0  # of crs_core fragment: bits of its header
_LOCKED = "00002a60-0000-1000-8000-00805f9b34fb"  # PLX Features


class BleTransport:
    """One connection with one wearable. Make it with `open_ble`, inside the event loop that uses it."""

    def __init__(
        self,
        name: str,
        write_s: float = WRITE_S,
        leaving: set[asyncio.Task[None]] | None = None,
        on_proof: Callable[[bool], None] = lambda _: None,
    ) -> None:
        """`leaving`: holds the task that ends the connection, until it is done. `on_proof` is called once: whether the
        wearable proved its key before the connection was closed."""
        self._name = name
        self._leaving = set() if leaving is None else leaving
        self._write_s = write_s
        self._on_proof: Callable[[bool], None] | None = on_proof
        self.carrier: Any = None
        self._client: Any = None
        self._in: Any = None
        self._fragment_bytes = _FRAGMENT_MIN
        self._pieces: deque[bytes] = deque()
        self._arrived = asyncio.Event()
        self._lost: TransportLost | None = None
        self._closing: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """The name of the link in reports."""
        return self._name

    @property
    def fragment_bytes(self) -> int:
        """Bytes that one write carries: the negotiated MTU without the ATT header."""
        return self._fragment_bytes

    @property
    def client(self) -> Any:
        """bleak's client, for pairing."""
        return self._client

    async def attach(self, client: Any) -> None:
        """Use a connected client: find the characteristics and subscribe."""
        self._client = client
        out = client.services.get_characteristic(names.OUT)
        self._in = client.services.get_characteristic(names.IN)
        if out is None or self._in is None:
            raise TransportLost(f"{self._name}: not a wearable, or its services changed", _ADVICE)
        # BlueZ says 23 for mtu_size; this property is right everywhere
        room = int(self._in.max_write_without_response_size)
        self._fragment_bytes = min(max(room, _FRAGMENT_MIN), FRAGMENT_MAX)
        await client.start_notify(out, self._take)

    async def read(self) -> bytes:
        """The next fragment. Fragments that came before a loss are still returned."""
        while not self._pieces:
            if self._lost is not None:
                raise self._lost
            self._arrived.clear()
            await self._arrived.wait()
        return self._pieces.popleft()

    async def write(self, data: bytes) -> None:
        """Write one fragment.

        A message that is one fragment is written without a response. A response would queue behind everything that the
        wearable notifies, and a late acknowledgement leaves the link idle. The engine asks again for lost messages.
        """
        if self._lost is not None:
            raise self._lost
        is_whole = data[0] & _FIRST_AND_LAST == _FIRST_AND_LAST
        try:
            async with asyncio.timeout(self._write_s):
                await self._client.write_gatt_char(self._in, data, response=not is_whole)
        except TimeoutError:
            raise self.lose(f"{self._name} took no fragment for {self._write_s:g} s") from None
        except Exception as error:  # bleak lets errors of every layer below it through
            raise self.lose(f"{self._name}: {error or type(error).__name__}") from error

    def proved(self, is_proven: bool = True) -> None:
        """The wearable at the other end proved its key."""
        if self._on_proof is not None:
            on_proof, self._on_proof = self._on_proof, None
            on_proof(is_proven)

    def close(self) -> None:
        """End the connection in a task of its own; a waiting read or write raises TransportLost."""
        self.proved(False)
        self.lose(f"{self._name} was closed")
        if self._closing is None and self._client is not None:
            self._closing = asyncio.ensure_future(_disconnect(self._client))
            self._leaving.add(self._closing)
            self._closing.add_done_callback(self._leaving.discard)

    async def closed(self) -> None:
        """Wait until the connection is down, 5 s at most."""
        if self._closing is not None:
            await asyncio.wait([self._closing])

    def lose(self, why: str) -> TransportLost:
        """Note that the link is gone; a waiting read raises TransportLost."""
        if self._lost is None:
            self._lost = TransportLost(why, _ADVICE)
            self._arrived.set()
        return self._lost

    def _take(self, _characteristic: Any, data: bytearray) -> None:
        self._pieces.append(bytes(data))
        self._arrived.set()


async def _disconnect(client: Any) -> None:
    with contextlib.suppress(Exception):
        async with asyncio.timeout(_CLOSE_S):
            await client.disconnect()


async def open_ble(radio: Radio, device_id: bytes, key: bytes, name: str) -> BleTransport:
    """Find the wearable that holds this key and connect.

    WearableNotHeard, RadioUnavailable or TransportLost say why not.
    """
    heard = await radio.find(device_id, key)
    try:
        return await connect(radio, heard, name)
    except TransportLost:
        radio.addresses.tried_in_vain(heard.address)
        raise


async def connect(radio: Radio, heard: Heard, name: str) -> BleTransport:
    """Connect with the wearable of this advertisement."""
    from bleak import BleakClient  # noqa: PLC0415 only where there is a radio
    from bleak_retry_connector import BleakConnectionError, establish_connection  # noqa: PLC0415

    backend = await radio.backend()

    def on_proof(is_proven: bool) -> None:
        (radio.addresses.proved if is_proven else radio.addresses.tried_in_vain)(heard.address)

    transport = BleTransport(name, leaving=radio.leaving, on_proof=on_proof)
    client: Any = None

    def broke(which: Any) -> None:
        # an earlier attempt that was given up may break later, after another one succeeded
        if which is transport.client:
            transport.lose(f"{name}: the radio link broke")

    try:
        async with radio.connecting, asyncio.timeout(CONNECT_S):
            # while BlueZ disconnects, a new connect would get the connection that is being ended
            if radio.leaving:
                await asyncio.wait(radio.leaving)
            for left in reversed(range(_ATTEMPTS)):
                try:
                    # a new client each time: on BlueZ a client that gave up may stay "connected" for ever
                    client = await establish_connection(
                        BleakClient, heard.device, name,
                        disconnected_callback=broke,
                        max_attempts=1, use_services_cache=False,
                        **({"backend": backend.client} if backend.client else {}),
                    )  # fmt: skip
                    break
                except BleakConnectionError:
                    if not left:
                        raise
            await transport.attach(client)
    except TimeoutError:
        await _give_up(radio, client)
        raise TransportLost(f"{name}: no connection within {CONNECT_S:g} s", _ADVICE) from None
    except TransportLost:
        await _give_up(radio, client)
        raise
    except asyncio.CancelledError:
        await _give_up(radio, client)
        raise
    except Exception as error:
        await _give_up(radio, client)
        if type(error).__name__ == "BleakBluetoothNotAvailableError":
            raise RadioUnavailable(f"Bluetooth cannot be used: {spoken(error)}") from error
        raise TransportLost(f"{name}: {error or type(error).__name__}", _ADVICE) from error
    return transport


async def _give_up(radio: Radio, client: Any) -> None:
    """Disconnect; the next connect waits until this is done."""
    if client is not None:
        leaving = asyncio.ensure_future(_disconnect(client))
        radio.leaving.add(leaving)
        leaving.add_done_callback(radio.leaving.discard)
        await asyncio.wait([leaving])


def _typist(passkey: int) -> contextlib.AbstractAsyncContextManager[None]:
    """On Linux this program types the passkey; elsewhere the system asks the person in a window of its own."""
    if sys.platform != "linux":
        return contextlib.nullcontext()
    from host_agent.link.bluez_agent import typing_passkey  # noqa: PLC0415 D-Bus is on Linux only

    return typing_passkey(passkey)


async def pair(transport: BleTransport, passkey: int, with_agent: bool = False) -> None:
    """Pair this laptop with the wearable; PairingFailed says what to do. `with_agent`: answer BlueZ for the person."""
    try:
        async with _typist(passkey) if with_agent else contextlib.nullcontext():
            await transport.client.pair(passkey=passkey)
        # only an encrypted and authenticated link can read it, so reading it proves the bond
        await transport.client.read_gatt_char(_LOCKED)
    except Exception as error:
        raise PairingFailed(f"{transport.name}: pairing failed: {error or type(error).__name__}") from error
