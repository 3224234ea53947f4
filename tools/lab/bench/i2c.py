"""The optical sensor's load on the bus: an hour of drains at the application's pace, gain control included."""

from collections.abc import Iterator
from pathlib import Path

from crs_device import tasks
from crs_device.sensors.bus import Bus
from crs_device.sensors.max3010x import Max3010x
from crs_device.sensors.optical import Optical
from crs_device.signal.ppg import Ppg

from tools.lab.bench.measuring import Row
from tools.virtual_wearable.models.bench import Bench

ROOT = Path(__file__).resolve().parents[3]
BYTES_MAX = 7.0
TRANSFERS_MAX = 0.25


def i2c_per_sample(minutes: int = 60) -> tuple[float, float]:
    """(data bytes, transfers) per sample that reached the chain, including start-up and every change of light."""

    class Counting(Ppg):
        samples = 0

        def push(self, red, infrared, n):  # type: ignore[no-untyped-def]
            self.samples += n
            super().push(red, infrared, n)

    poll_ms = tasks._SAMPLE_EVERY_MS
    bench = Bench()
    chain = Counting()
    probe = Optical(Max3010x(Bus(bench.i2c)), chain)
    for poll in range(minutes * 60_000 // poll_ms):
        minute = poll * poll_ms // 60_000
        bench.max30102.red_light = bench.max30102.ir_light = (1.0, 0.1, 3.0)[minute // 10 % 3]
        bench.pass_ms(poll_ms)
        probe.poll(bench.now_us // 1000)
        if poll % 3 == 0:
            probe.vitals(bench.now_us // 1000)
    return bench.i2c.bytes / chain.samples, bench.i2c.transactions / chain.samples


def rows() -> Iterator[Row]:
    size, transfers = i2c_per_sample()
    name, most = "PPG I2C per sample", TRANSFERS_MAX
    yield name, f"{size:.2f} bytes", f"<= {BYTES_MAX:.0f} bytes", size <= BYTES_MAX
    yield name, f"{transfers:.3f} transfers", f"<= {most}", transfers <= most
