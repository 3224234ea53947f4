"""Runs on MicroPython: argv[1] is a file of little-endian (red, infrared) u32 pairs at 25 Hz, argv[2] how many times.

Prints `ns N samples M`: what filtering in bursts of eight and the analysis once a second took, per sample.
"""

import struct
import sys
import time

from array import array
from crs_device.signal.ppg import Ppg

BURST = 8


def bursts_of(path: str) -> list:  # type: ignore[type-arg]
    """The file as pairs of arrays, made before the clock starts."""
    bursts = []
    with open(path, "rb") as f:
        while True:
            part = f.read(8 * BURST)
            if len(part) < 8 * BURST:
                return bursts
            pairs = struct.unpack("<%dI" % (2 * BURST), part)
            red = array("i", [pairs[i] for i in range(0, 2 * BURST, 2)])
            bursts.append((red, array("i", [pairs[i] for i in range(1, 2 * BURST, 2)])))


def main(path: str, times: int) -> None:
    """Play the recording at `path` `times` times and print the nanoseconds for each sample."""
    bursts = bursts_of(path)
    ppg = Ppg()
    count = asked = 0
    began = time.ticks_us()
    for _ in range(times):
        for red, infrared in bursts:
            ppg.push(red, infrared, BURST)
            count += BURST
            if count - asked >= 25:
                asked += 25
                ppg.vitals(count * 40)
    took_us = time.ticks_diff(time.ticks_us(), began)
    print("ns", took_us * 1000 // max(1, count), "samples", count)


main(sys.argv[1], int(sys.argv[2]))
