"""This laptop's Bluetooth: its bleak backend, and one scan that all links share.

bleak picks the system's own backend. `use_backend` replaces it with another radio or a simulated one: its function is
called in the event loop that uses it, when the first radio link starts.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, NamedTuple

from crs_core.wire import gatt_uuids as names

from host_agent.errors import RadioUnavailable, WearableNotHeard
from host_agent.link.advertised import Advertised, decode
from host_agent.link.ble_choice import Addresses

SCAN_S = 30.0  # real: one try listens for this long
CHOOSE_S = 2.0  # real: so long others are waited for, where anybody can have sent what was heard


class Backend(NamedTuple):
    """Classes for bleak's `backend=`; None: the system's own."""

    scanner: Any = None
    client: Any = None


class Heard(NamedTuple):
    """One wearable's advertisement. `device` is bleak's."""

    device: Any
    address: str
    said: Advertised
    rssi_dbm: int | None

    def is_of(self, device_id: bytes, key: bytes) -> bool:
        """Whether it is the wearable that holds this key."""
        return self.said.is_of(device_id, key)

    @property
    def is_simulated(self) -> bool:
        """Whether the wearable says that its data are simulated."""
        return bool(self.said.flags & names.FLAG_SIMULATED)

    @property
    def may_pair(self) -> bool:
        """Whether its pairing window is open."""
        return bool(self.said.flags & names.FLAG_PAIRING)


BackendFactory = Callable[[], Awaitable[Backend]]


async def _system() -> Backend:
    return Backend()


_factory: list[BackendFactory] = [_system]


def use_backend(factory: BackendFactory) -> None:
    """From now on radios are made by `factory`."""
    _factory[0] = factory


def is_installed() -> bool:
    """Whether bleak can be imported."""
    try:
        import bleak  # noqa: F401, PLC0415
    except ImportError:
        return False
    return True


def spoken(error: Exception) -> str:
    """An error of bleak as text; the error of an adapter that is off carries a number beside its text."""
    if type(error).__name__ == "BleakBluetoothNotAvailableError":
        return str(error.args[0])
    return str(error) or type(error).__name__


async def _whole(
    work: Coroutine[Any, Any, None], undo: Callable[[], Coroutine[Any, Any, None]] | None = None
) -> None:
    """Run `work` to its end. If the caller was cancelled, `undo` it: no scan may go on without a listener."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if undo is not None and not task.cancelled() and task.exception() is None:
            await undo()
        raise


class Radio:
    """One adapter, shared by all links of a loop. Cancel-safe; make it inside the loop that uses it."""

    def __init__(self) -> None:
        self._backend: Backend | None = None
        self._listeners: set[Callable[[Heard], None]] = set()
        self._scanner: Any = None
        self._switching = asyncio.Lock()
        self.connecting = asyncio.Lock()  # controllers connect to one peer at a time
        self.leaving: set[asyncio.Task[None]] = set()  # tasks that end connections
        self.addresses = Addresses()

    async def backend(self) -> Backend:
        """The backend, made at the first call."""
        async with self._switching:
            if self._backend is None:
                self._backend = await _factory[0]()
            return self._backend

    async def find(self, device_id: bytes, key: bytes, timeout_s: float = SCAN_S) -> Heard:
        """The wearable that holds this key; WearableNotHeard at the deadline, RadioUnavailable.

        What only its own address can have sent is taken at once. Otherwise all that is heard in two seconds is ranked.
        """
        loop = asyncio.get_running_loop()
        found: asyncio.Future[Heard] = loop.create_future()
        candidates: dict[str, Heard] = {}

        def choose() -> None:
            if not found.done():
                found.set_result(candidates[self.addresses.choose(candidates)])

        def heard(one: Heard) -> None:
            if found.done() or not one.is_of(device_id, key):
                return
            self.addresses.heard(one.address, loop.time())
            if one.said.only_comes_from(one.address) or self.addresses.is_proven(one.address):
                found.set_result(one)
                return
            if not candidates:
                loop.call_later(CHOOSE_S, choose)
            candidates[one.address] = one

        async with self.listening(heard):
            try:
                async with asyncio.timeout(timeout_s):
                    return await found
            except TimeoutError:
                raise WearableNotHeard(
                    f"wearable {device_id.hex()} was not heard in {timeout_s:g} s"
                ) from None

    @contextlib.asynccontextmanager
    async def listening(self, heard: Callable[[Heard], None]) -> AsyncIterator[None]:
        """Call `heard` for each advertisement of a wearable while the block runs."""
        self._listeners.add(heard)
        try:
            await self._switch()
            yield
        finally:
            self._listeners.discard(heard)
            with contextlib.suppress(RadioUnavailable):
                await self._switch()

    async def _switch(self) -> None:
        """Scan exactly while somebody listens."""
        backend = await self.backend()
        async with self._switching:
            try:
                if self._listeners and self._scanner is None:
                    from bleak import BleakScanner  # noqa: PLC0415 only where there is a radio

                    # without a filter: outside pairing a wearable advertises no service, which would name it
                    scanner = BleakScanner(self._detected, backend=backend.scanner)
                    await _whole(scanner.start(), undo=scanner.stop)
                    self._scanner = scanner
                elif not self._listeners and self._scanner is not None:
                    scanner, self._scanner = self._scanner, None
                    await _whole(scanner.stop())
            except Exception as error:  # bleak lets errors of every layer below it through
                self._scanner = None
                raise RadioUnavailable(f"Bluetooth cannot be used: {spoken(error)}") from error

    def _detected(self, device: Any, data: Any) -> None:
        said = decode(data.manufacturer_data.get(names.COMPANY, b""))
        if said is None or not said.may_come_from(device.address):
            return
        one = Heard(device, device.address, said, data.rssi)
        for listener in list(self._listeners):
            listener(one)
