"""A flash image whose journal contains days of readings, and the host's engine that drains it."""

import asyncio
import os
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from crs_core.journal import record_layout, record_types
from crs_device.journal.journal import Journal as DeviceJournal

from host_agent.clock import RealClock
from host_agent.keys.keyfile import DeviceKey
from host_agent.link.serial import open_serial
from host_agent.store.contents import totals
from host_agent.store.db import Store
from host_agent.store.rows import Journal
from host_agent.sync.client import DeviceClient
from host_agent.sync.listener import SyncListener
from host_agent.sync.runner import SyncRunner
from tools.lab.bench import series
from tools.rig.image import PATIENT, build_image, files_in
from tools.rig.stored import bind_patient

DAY = 8640
_EVENT_EVERY = 360  # readings: one an hour
_START_S = 20.0


class Drained(NamedTuple):
    """`took_s` from opening the port until caught up; `lives` of that time: (seconds of the host's clock, message)."""

    took_s: float
    readings: int
    lives: list[tuple[float, Any]]


def build(path: Path, days: int, settings: dict[str, str]) -> Path:
    """Write the image as a wearable does: a reading every 10 s, a block every 120 s, and a button press every hour."""
    with tempfile.TemporaryDirectory() as folder:
        journal = DeviceJournal(folder + "/journal", 1, os.urandom, 1 << 20, 1)
        journal.create(PATIENT)
        week = series.made_week()
        for n in range(days * DAY):
            reading = week[n % len(week)]._replace(t_ms=(n + 6) * series.STEP_MS)
            journal.add_reading(reading)
            if n % _EVENT_EVERY == 0:
                press = record_types.encode(record_types.Button(1))
                journal.append_event(reading.t_ms, record_layout.BUTTON, press)
        journal.flush()
        files = files_in(Path(folder))
    return build_image(path, settings=settings, journal=False, extra=files)


class _Listener(SyncListener):
    def __init__(self) -> None:
        self.caught_up = asyncio.Event()
        self.lives: list[tuple[float, Any]] = []

    def on_live(self, device_id: bytes, live: Any) -> None:
        self.lives.append((time.time(), live))

    def on_caught_up(self, journal: Journal) -> None:
        self.caught_up.set()


async def wait_until_started(port: str, key: DeviceKey) -> None:
    """Wait until the wearable opens a session."""
    transport = await open_serial(port)
    try:
        client = DeviceClient(transport, [key])
        await client.open(_START_S)
        await client.close()
    finally:
        transport.close()


async def drain(port: str, database: Path, key: DeviceKey) -> Drained:
    """Sync over `port` into a new store until caught up."""
    listener = _Listener()
    with Store(database) as store:
        store.write_now(lambda tx: bind_patient(tx, key.device_id, PATIENT))
        runner = SyncRunner(store, lambda: {key.device_id: key}, board_clock=RealClock(), listener=listener)
        begun_s = time.monotonic()
        transport = await open_serial(port)
        session = asyncio.create_task(runner.run_session(transport, lambda device_id: None))
        done = asyncio.create_task(listener.caught_up.wait())
        await asyncio.wait([session, done], return_when=asyncio.FIRST_COMPLETED)
        took_s, lives = time.monotonic() - begun_s, list(listener.lives)
        if session.done():
            session.result()
            raise RuntimeError("the session ended")
        session.cancel()
        await asyncio.wait([session])
        transport.close()
        readings = store.read_now(totals).readings
    return Drained(took_s, readings, lives)
