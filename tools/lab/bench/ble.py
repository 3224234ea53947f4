"""The radio link on the simulated air: sync compared with a raw sender, an event during a drain, reconnects, heap.

Firmware and agent are the real ones. The pace of the air stands for a slow central: one packet of 244 bytes every 30 ms
is 8.1 kB/s, two every 37.5 ms are 13 kB/s. Without a pace the machine is the limit: that measures the wearable's own
work (flash, AES in Python), not a link.
"""

import asyncio
import os
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bleak import BleakClient, BleakScanner
from crs_core import units
from crs_core.journal import record_layout, record_types, record_writer
from crs_device.journal.journal import Journal

from host_agent.store.contents import contents
from tools.ble_air.air import Air
from tools.ble_air.bleak_backend import Adapter
from tools.ble_air.link import Pace
from tools.lab.bench import firmware
from tools.lab.bench.measuring import Row, percentile
from tools.rig.air_bedside import AirBedside, is_caught_up, is_open
from tools.rig.image import PATIENT, SETTINGS, files_in
from tools.rig.stored import events_of_type, journal_ids
from tools.rig.waiting import until_async
from tools.virtual_wearable.chip_process import interpreter

ROOT = Path(__file__).resolve().parents[3]
RAW_VALUE = "11111112-7c4c-436c-a191-3aa35a771ced"
RAW_SERVICE = "11111111-7c4c-436c-a191-3aa35a771ced"
WEEK = 60_480
PACES = {"8.1 kB/s": Pace(0.030, 1), "13 kB/s": Pace(0.0375, 2), "no pace": None}
RAW_S = 5.0
PRESSES = 100
CUTS = int(os.environ.get("CW_BENCH_CUTS", "1000"))
HEAP_MAX_KB = 24


def rows() -> Iterator[Row]:
    yield _heap()
    for name, pace in PACES.items():
        raw = asyncio.run(_raw_bytes_per_s(pace))
        sent, seconds, stored = asyncio.run(_drain(pace, WEEK))
        share = sent / seconds / raw
        figure = f"{share:.0%} ({sent / seconds / 1000:.1f} of {raw / 1000:.1f} kB/s)"
        yield f"BLE sync against a raw sender, {name}", figure, ">= 90 %", share >= 0.9
        if pace is None:
            figure = f"{WEEK - stored} lost or doubled, {seconds:.1f} s"
            yield f"BLE: {WEEK} readings drained", figure, "0", stored == WEEK
    for name in ("13 kB/s", "no pace"):
        times_ms = asyncio.run(_presses(PACES[name]))
        p99 = percentile(times_ms, 0.99)
        figure = f"{p99:.0f} ms (p50 {percentile(times_ms, 0.5):.0f}, {len(times_ms)} presses)"
        what = f"BLE: button released to event stored, p99, while a backlog drains, {name}"
        yield what, figure, "<= 150 ms", p99 <= 150
    yield from asyncio.run(_cuts())


async def _raw_bytes_per_s(pace: Pace | None) -> float:
    with tempfile.TemporaryDirectory(prefix="air-") as folder:
        async with Air.open(Path(folder)) as air:
            program = (ROOT / "tools/lab/bench/micropython/ble_raw.py").read_text()
            program = program.replace("CHIP_DIR", str(ROOT / "tools/virtual_wearable/chip"))
            process = await asyncio.create_subprocess_exec(
                str(interpreter()), "-c", program.replace("AIR", str(air.chip_path))
            )
            adapter = await Adapter.open(air.link)
            scanner, client_class = adapter.backends()
            try:
                device = await BleakScanner.find_device_by_filter(
                    lambda _, data: RAW_SERVICE in data.service_uuids, timeout=20, backend=scanner
                )
                if device is None:
                    raise RuntimeError("the raw sender was not heard")
                got = 0

                def take(_: Any, data: bytearray) -> None:
                    nonlocal got
                    got += len(data)

                async with BleakClient(device, backend=client_class) as client:
                    await client.start_notify(RAW_VALUE, take)
                    air.link.pace = pace
                    await client.write_gatt_char(RAW_VALUE, b"go", response=False)
                    await asyncio.sleep(0.5)
                    got, since = 0, time.perf_counter()
                    await asyncio.sleep(RAW_S)
                    rate = got / (time.perf_counter() - since)
                    air.link.pace = None
                    process.kill()
                return rate
            finally:
                if process.returncode is None:
                    process.kill()
                await process.wait()
                await adapter.close()


def backlog(count: int) -> dict[str, bytes]:
    """Files of a journal with `count` readings, one every 10 s, made by the wearable's own code."""
    chance = random.Random(7)
    status = units.make_status(units.SITE_AXILLA, units.TEMP_VALID, units.PPG_VALID, units.WEAR_WORN)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        journal = Journal(str(root / "journal"), 1, os.urandom, 1 << 20, 1)
        journal.create(PATIENT)
        # An image has no empty folder, so the events' folder needs one record.
        journal.append_event(0, record_layout.BUTTON, record_writer.encode(record_types.Button(1)))
        temp_cc = 3700
        for i in range(count):
            temp_cc += chance.choice((-2, -1, 0, 0, 1, 2))
            spo2, hr = 970 + chance.randrange(-6, 7), 80 + chance.randrange(-3, 4)
            journal.add_reading(units.Reading(10_000 * i, temp_cc, spo2, hr, 150, status))
            if i % 12 == 11:
                journal.flush()  # as the wearable does every 120 s
        journal.flush()
        return files_in(root)


async def _drain(pace: Pace | None, count: int) -> tuple[int, float, int]:
    """(bytes of blocks, seconds, distinct readings stored) of a backlog that the whole agent drains."""
    with tempfile.TemporaryDirectory() as folder:
        extra = backlog(count)
        async with AirBedside.open(Path(folder), "nimble", speed=1, journal=False, extra=extra) as bedside:
            await asyncio.sleep(3)
            bedside.air.link.pace = pace
            async with bedside.agent() as agent:
                await until_async(lambda: is_open(agent), 60, "a session")
                since = time.perf_counter()
                await until_async(lambda: is_caught_up(agent), 900, "sync")
                seconds = time.perf_counter() - since
                bedside.air.link.pace = None
            held = bedside.read(lambda tx: contents(tx, journal_ids(tx)[0]))
            stored = sum(boot == 1 and row.t_ms < 10_000 * count for boot, row in held.readings.values())
            return bedside.totals().block_bytes, seconds, stored


async def _presses(pace: Pace | None) -> list[float]:
    """Sorted ms from the release of the button to the event in the store, while a backlog drains."""
    times_ms = []
    with tempfile.TemporaryDirectory() as folder:
        extra = backlog(WEEK)
        async with AirBedside.open(Path(folder), "nimble", speed=1, journal=False, extra=extra) as bedside:
            await asyncio.sleep(3)
            # "No pace" is a fast central here: without any, the drain would end before the presses do.
            bedside.air.link.pace = pace or Pace(0.0075, 6)
            async with bedside.agent() as agent:
                await until_async(lambda: is_open(agent), 60, "a session")
                for number in range(1, PRESSES + 1):
                    await bedside.control("press", ms=150)  # longer than an erase blocks the wearable
                    released = time.perf_counter() + 0.15
                    while len(bedside.read(lambda tx: events_of_type(tx, record_layout.BUTTON))) < number + 1:
                        if time.perf_counter() - released > 10:
                            raise RuntimeError("a press was not stored within 10 s")
                        await asyncio.sleep(0.002)
                    times_ms.append((time.perf_counter() - released) * 1000)
                    if is_caught_up(agent):
                        break
                    await asyncio.sleep(0.05)
                bedside.air.link.pace = None
    return sorted(times_ms)


async def _cuts() -> list[Row]:
    """Random losses of the link: records lost or doubled, and the time to the next session."""
    chance = random.Random(11)
    back_s = []
    with tempfile.TemporaryDirectory() as folder:
        settings = {**SETTINGS, "reading_interval_s": "1"}
        async with AirBedside.open(Path(folder), "nimble", speed=60, settings=settings) as bedside:
            async with bedside.agent() as agent:
                await until_async(lambda: is_open(agent), 30, "a session")
                for _ in range(CUTS):
                    await asyncio.sleep(chance.uniform(0, 0.15))
                    bedside.cut()
                    since = time.perf_counter()
                    await asyncio.sleep(0)
                    await until_async(lambda: not is_open(agent), 5, "the loss")
                    await until_async(lambda: is_open(agent), 30, "a session again")
                    back_s.append(time.perf_counter() - since)
                await until_async(lambda: is_caught_up(agent), 60, "sync")
            doubled = len(bedside.read(lambda tx: contents(tx, journal_ids(tx)[0])).twice)
            forks = bedside.totals().forks
            agreed = await bedside.records_agree(1)
    p99 = percentile(back_s, 0.99)
    took = f"{p99:.2f} s (p50 {percentile(back_s, 0.5):.2f})"
    lost = f"0 lost, {doubled + forks} doubled of {agreed} records"
    return [
        (f"BLE: {CUTS} random disconnects", lost, "0 / 0", doubled + forks == 0),
        ("BLE: link lost to session again, p99", took, "<= 1 s", p99 <= 1),
    ]  # fmt: skip


def _heap() -> Row:
    without, _ = firmware.free_heap_after_start()
    beside, _ = firmware.free_heap_after_start("--ble", "nimble")
    used = without - beside
    # An object of the unix interpreter is twice as large as on a 32-bit chip.
    figure = f"{used / 2048:.1f} KiB as 32-bit words ({used / 1024:.1f} KiB here)"
    is_reached = used / 2 <= HEAP_MAX_KB * 1000
    return "BLE: heap of the firmware's radio link", figure, f"<= {HEAP_MAX_KB} kB", is_reached
