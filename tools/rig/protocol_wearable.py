"""A wearable for host tests: the firmware's own DeviceSession, Journal and Pump behind a link that a test can spoil.

Only the application loop is written here; every byte on the link and on its "flash" (a folder) comes from real code.
"""

import asyncio
import contextlib
import os
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from crs_core import units
from crs_core.journal import record_layout, record_types
from crs_core.keys import Key
from crs_core.wire import message as wire
from crs_core.wire import session as sessions
from crs_core.wire.parts import PartJoiner
from crs_core.wire.session_device import DeviceSession
from crs_device.journal.journal import Journal
from crs_device.link.pump import Pump

from host_agent.errors import TransportLost
from host_agent.keys.keyfile import DeviceKey

DEVICE_ID = bytes.fromhex("c0ffee0011223344")
CUSTODIAN = Key(0x11, 1, bytes(range(32)), "ward")
READER = Key(0x22, 2, bytes(range(32, 64)), "study")
AXILLA = units.make_status(units.SITE_AXILLA, units.TEMP_VALID, units.PPG_VALID, units.WEAR_WORN)

Filter = Callable[[bytes], Iterable[bytes]]


def host_key(key: Key = CUSTODIAN, device_id: bytes = DEVICE_ID) -> DeviceKey:
    """The same key as a laptop holds it."""
    return DeviceKey(device_id, key.key_id, key.key, key.role, key.name)


def _unchanged(data: bytes) -> Iterable[bytes]:
    return [data]


class Pipe:
    """Host end (a Transport) and device end of one link in memory, with a filter in each direction."""

    def __init__(self, to_host: Filter = _unchanged, to_device: Filter = _unchanged) -> None:
        self.name = "memory"
        self.to_host = to_host
        self.to_device = to_device
        self.is_lost = False
        self.host_wrote: list[bytes] = []
        self.device_wrote: list[bytes] = []
        self.fragment_bytes: int | None = None
        self.carrier: Any = None
        self._for_host: asyncio.Queue[bytes] = asyncio.Queue()
        self._for_device: asyncio.Queue[bytes] = asyncio.Queue()

    async def read(self) -> bytes:
        data = await self._for_host.get()
        if not data:
            self._for_host.put_nowait(b"")
            raise TransportLost("the pipe is gone")
        return data

    async def write(self, data: bytes) -> None:
        if self.is_lost:
            raise TransportLost("the pipe is gone")
        self.host_wrote.append(data)
        for piece in self.to_device(data):
            self._for_device.put_nowait(piece)

    def close(self) -> None:
        self.lose()

    def lose(self) -> None:
        """The cable is pulled."""
        self.is_lost = True
        self._for_host.put_nowait(b"")

    async def device_read(self) -> bytes:
        return await self._for_device.get()

    async def device_write(self, data: bytes) -> None:
        self.device_wrote.append(data)
        for piece in self.to_host(data):
            if piece:
                self._for_host.put_nowait(piece)


class FakeDevice:
    """`serve(pipe)` until cancelled. `flash` is a folder: copy it to keep an older image."""

    def __init__(
        self,
        flash: Path,
        *,
        boot: int = 1,
        keys: Iterable[Key] = (CUSTODIAN, READER),
        device_id: bytes = DEVICE_ID,
        flags: int = 1,
        seed: int = 1,
    ) -> None:
        self.flash = flash
        self.boot = boot
        self.now_ms = 1000
        self.device_id = device_id
        self.rng = random.Random(seed)
        self.flags = flags
        self.acks: list[Any] = []
        self.unreached: list[int] = []  # priorities of NobodyReached
        self.reads: list[Any] = []
        self.read_only_answers: dict[type, Any] = {}
        self.settings: dict[str, str] = {}  # of text, changed by a host and journaled
        self.deaf = False  # swallows everything
        self.handing_over = asyncio.Event()  # it deletes a journal, after its Result and before its BYE
        self.may_hand_over = asyncio.Event()
        self.may_hand_over.set()
        self._context_parts = PartJoiner(512)
        self._kick = asyncio.Event()
        flash.mkdir(parents=True, exist_ok=True)
        self.journal = Journal(str(flash / "journal"), boot, os.urandom, 4_000_000, flags)
        if (flash / "journal").exists():
            self.journal.open()
        else:
            self.journal.create()
        self.session = DeviceSession(device_id, self.journal.journal_id, list(keys), os.urandom)
        self.pump = Pump(self.journal)
        self._port: Any = None

    # -- what a wearable does --------------------------------------------------------------------------------------

    def bind(self, binding_id: bytes) -> None:
        """A new journal for a patient, as provisioning or the link would do it."""
        self.journal.handover(binding_id)
        self.session.journal_id = self.journal.journal_id
        self.pump = Pump(self.journal)

    def read_sensors(self, count: int = 12, **values: Any) -> None:
        """Journal `count` readings 10 s apart as one block."""
        for _ in range(count):
            self.now_ms += 10_000
            reading = units.Reading(
                self.now_ms,
                values.get("temp_cc", 3700 + self.rng.randrange(10)),
                values.get("spo2_tenths", 970 + self.rng.randrange(5)),
                80,
                150,
                AXILLA,
            )
            self.journal.add_reading(reading)
        self.journal.flush()
        self._kick.set()

    def event(self, record: Any = None, kind: int | None = None, payload: bytes = b"") -> int:
        """Journal one event (a record tuple, or raw type and payload)."""
        if record is not None:
            kind, payload = record_types.type_of(record), record_types.encode(record)
        self.now_ms += 1
        assert kind is not None
        seq = self.journal.append_event(self.now_ms, kind, payload)
        self._kick.set()
        return seq

    async def say(self, message: Any) -> None:
        """Send one message outside the pump (LIVE, ALARM, BYE...)."""
        await self._port.device_write(self.session.seal(message))

    # -- link ------------------------------------------------------------------------------------------------------

    async def serve(self, port: Any) -> None:
        """Answer on this port until cancelled."""
        self._port = port
        pumping = asyncio.create_task(self._pump_loop())
        try:
            while True:
                data = await port.device_read()
                if self.deaf:
                    continue
                for event in self.session.receive(data):
                    if isinstance(event, sessions.Send):
                        await port.device_write(event.data)
                    elif isinstance(event, sessions.Opened):
                        self.pump = Pump(self.journal)
                    elif isinstance(event, sessions.Received):
                        await self._handle(event.message)
                self._kick.set()
        finally:
            pumping.cancel()

    async def _pump_loop(self) -> None:
        while True:
            await self._kick.wait()
            self._kick.clear()
            while self.session.is_open and not self.deaf:
                message = self.pump.next()
                if message is None:
                    break
                await self.say(message)
                await asyncio.sleep(0)

    async def _handle(self, message: Any) -> None:
        if type(message) in self.read_only_answers:
            await self.say(self.read_only_answers[type(message)])
        elif isinstance(message, wire.ReadFrom):
            self.reads.append(message)
            self.pump.start(message.seq, message.window, message.max_bytes)
        elif isinstance(message, wire.Ack):
            self.acks.append(message)
            self.pump.acknowledge(message.received)
            key = self.session.key
            if key is not None and key.role == 1:
                self.journal.ack(message.committed_seq)
        elif isinstance(message, wire.StatusAsk):
            await self.say(self.status())
        elif isinstance(message, wire.Time):
            await self.say(wire.TimeIs(message.utc_ms, self.boot, self.now_ms))
        elif isinstance(message, wire.NobodyReached):
            self.unreached.append(message.priority)
            await self.say(wire.Result(0x1E, wire.RESULT_DONE, ""))
        elif isinstance(message, wire.Ping):
            await self.say(wire.Pong(message.token))
        elif isinstance(message, wire.Context):
            whole = self._context_parts.add(message.part, message.parts, message.data)
            if whole is None:
                await self.say(wire.Result(0x14, wire.RESULT_MORE_PARTS, ""))
                return
            self.event(kind=record_layout.CONTEXT, payload=whole)
            await self.say(wire.Result(0x14, wire.RESULT_DONE, ""))
        elif isinstance(message, wire.Settings):
            await self._settings(message)
        elif isinstance(message, wire.Bind):
            await self.say(wire.Result(0x15, wire.RESULT_DONE, ""))
            if message.part == message.parts - 1:
                self.handing_over.set()
                await self.may_hand_over.wait()
                self.bind(message.binding_id if message.op == wire.BIND_START else bytes(8))
                for event in self.session.close(wire.BYE_JOURNAL_CHANGED):
                    if isinstance(event, sessions.Send):
                        await self._port.device_write(event.data)

    async def _settings(self, message: Any) -> None:
        if message.op == wire.SETTINGS_SET:
            self.settings |= dict(line.split("=", 1) for line in message.data.decode().splitlines())
        text = "".join(f"{key}={value}\n" for key, value in sorted(self.settings.items()))
        if message.op == wire.SETTINGS_SET:
            self.event(record_types.Settings(1, bytes(8), 0, text))
            await self.say(wire.Result(0x13, wire.RESULT_DONE, ""))
        else:
            await self.say(wire.SettingsIs(1, text.encode()))

    def status(self) -> Any:
        """StatusIs of now."""
        bound = self.journal.binding_id != bytes(8)
        return wire.StatusIs(
            self.boot, self.now_ms, self.journal.head_seq, self.journal.acked_seq, 1,
            self.flags & 1 | (wire.STATUS_BOUND if bound else 0), 3900, 100_000, self.journal.binding_id, [],
        )  # fmt: skip


@contextlib.asynccontextmanager
async def serving(device: FakeDevice, port: Any) -> Any:
    """Serve for the length of a with block."""
    task = asyncio.create_task(device.serve(port))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])
        device.session.link_lost()
