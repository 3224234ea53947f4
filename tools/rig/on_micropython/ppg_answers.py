"""Runs on MicroPython: argv[1] is a file of little-endian (red, infrared) u32 pairs at 25 Hz.

Prints one answer a second, then `cost: push NS vitals US`: time per sample of the sample path and per analysis.
"""

import struct
import sys
import time

from array import array
from crs_device.signal.ppg import Ppg

BURST = 10


def main(path: str) -> None:
    """Feed the file in bursts of ten."""
    ppg = Ppg()
    red = array("i", [0] * 32)
    infrared = array("i", [0] * 32)
    pushing = asking = asked = count = held = 0
    with open(path, "rb") as f:
        while True:
            pair = f.read(8)
            if len(pair) < 8:
                break
            red[held], infrared[held] = struct.unpack("<II", pair)
            held += 1
            count += 1
            if held == BURST:
                began = time.ticks_us()
                ppg.push(red, infrared, held)
                pushing += time.ticks_diff(time.ticks_us(), began)
                held = 0
            if count % 25 == 0:
                began = time.ticks_us()
                answer = ppg.vitals(count * 40)
                asking += time.ticks_diff(time.ticks_us(), began)
                asked += 1
                print(answer)
    print("cost: push", pushing * 1000 // count, "vitals", asking // asked)


main(sys.argv[1])
