"""The chip in simulated time is as cheap as a chip: its bus allocates nothing, and its tasks wake when they are due."""

from pathlib import Path

import pytest

from tools.rig.waiting import pass_s
from tools.rig.wearable import ready

READS = b"""
import gc, machine
bus, buffer = machine.I2C(0), bytearray(7)
bus.readfrom_mem_into(0x57, 0, buffer)
gc.collect()
before = gc.mem_alloc()
for _ in range(1000):
    bus.readfrom_mem_into(0x57, 0, buffer)
good = gc.mem_alloc() - before < 1000
buffer = bytearray(1)
bus.readfrom_mem_into(0x57, 0xFF, buffer)
good = good and buffer[0] == 0x15
try:
    bus.readfrom_mem_into(0x11, 0, buffer)
    good = False
except OSError:
    pass
machine.Pin(18, machine.Pin.OUT, value=good)
"""
SLEEPS = b"""
import sys
sys.path.insert(0, "/app")
import asyncio, boards, machine
clock = boards.detect().clock
async def main():
    good = True
    for span_ms in (0, 1, 7, 59, 60, 61, 360, 1000, 9999):
        begun_ms = clock.ms()
        await clock.sleep_ms(span_ms)
        good = good and span_ms <= clock.ms() - begun_ms <= span_ms + 1 + clock.speed // 50
    machine.Pin(18, machine.Pin.OUT, value=good)
asyncio.run(main())
"""


def test_a_read_on_the_bus_allocates_nothing(tmp_path: Path) -> None:
    with ready(tmp_path, extra={"/main.py": READS}) as wearable:
        pass_s(1)
        assert wearable.state()["led"] == [1, 0, 0]


@pytest.mark.parametrize("speed", [1, 20, 60, 200])
def test_a_task_sleeps_to_the_millisecond_of_the_wearable_at_any_speed(tmp_path: Path, speed: int) -> None:
    with ready(tmp_path, speed=speed, extra={"/main.py": SLEEPS}) as wearable:
        pass_s(13 / speed + 1)
        assert wearable.state()["led"] == [1, 0, 0]
