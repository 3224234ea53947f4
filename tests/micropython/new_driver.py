"""Runs on MicroPython: starts the sensors over the chips named in argv[1] and prints what the application knows.

The firmware on the path is a copy with one more driver in it; `toy` is that driver's chip.
"""

import json
import sys

from crs_core.spo2_curve import AN6845
from crs_device.health import Health
from crs_device.measuring.sampling import Sampling
from crs_device.selftest import _sensors
from crs_device.sensors.drivers import report_incomplete
from tools.virtual_wearable.models.bench import Bench


class ToyChip:
    """Register 0 names the part, register 1 is the temperature in degrees Celsius."""

    def __init__(self):
        self._register = 0

    def write(self, data):
        self._register = data[0]

    def read(self, count):
        return bytes([37 if self._register else 0x70]) * count


class Log:
    """Takes every gap."""

    def gap(self, sensor, reason, lost, span_ms):
        pass


class Application:
    """As much of the application as the self-test of the sensors asks for."""

    def __init__(self, board):
        self.board = board


def main(chips):
    bench = Bench()
    if "tmp117" not in chips:
        del bench.i2c.devices[0x48]
    if "toy" in chips:
        bench.i2c.devices[0x4F] = ToyChip()
    health = Health()
    report_incomplete(health)
    sampling = Sampling(bench.i2c, {}, Log(), health, AN6845, 0)
    for second in range(1, 4):
        bench.pass_ms(1000)
        sampling.poll(second * 1000)
        vitals = sampling.measure(second * 1000)
    folder = "crs_device.sensors."
    drivers = ("tmp117", "max30205", "max3010x", "toy")
    print(
        json.dumps(
            {
                "vitals": list(vitals),
                "thermometer_fault": sampling.thermometer.fault,
                "is_optical_present": sampling.optical.present,
                "loaded": sorted([name for name in drivers if folder + name in sys.modules]),
                "self_test": _sensors(Application(bench)),
                "faults": health.take_faults(),
            }
        )
    )


main(sys.argv[1].split(" "))
