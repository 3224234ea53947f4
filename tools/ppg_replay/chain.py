"""The firmware's own chain over a file of 25 Hz samples; this file runs on CPython and on MicroPython alike.

As a script: `micropython chain.py FILE KIND` with KIND `both` or `ir`; one line an answer, `spo2 hr pi state` with a
dash for what there is no value of. FILE holds two signed 32-bit numbers a sample, red and infrared; -1 -1 was lost.
"""

import struct
import sys
from array import array

from crs_device.signal.calibration import AN6845
from crs_device.signal.ppg import Ppg

RATE_HZ = 25
BURST = 8  # what the application finds in the FIFO each 320 ms


def answers(path, ir_only):  # type: ignore[no-untyped-def]
    """Yield (spo2_tenths, hr_bpm, pi_hundredths, PPG_*) for each whole second of the samples in `path`."""
    ppg = Ppg(AN6845, ir_only)
    red = array("i", [0] * BURST)
    infrared = array("i", [0] * BURST)
    with open(path, "rb") as file:  # noqa: PTH123 MicroPython has no pathlib
        second = 0
        while True:
            data = file.read(8 * RATE_HZ)
            if len(data) < 8 * RATE_HZ:
                return
            second += 1
            held = lost = 0
            for i in range(RATE_HZ):
                a, b = struct.unpack_from("<ii", data, 8 * i)
                if a < 0:
                    if held:
                        ppg.push(red, infrared, held)
                        held = 0
                    lost += 1
                    continue
                if lost:
                    ppg.gap(lost * 1000 // RATE_HZ)
                    lost = 0
                red[held] = a
                infrared[held] = b
                held += 1
                if held == BURST:
                    ppg.push(red, infrared, held)
                    held = 0
            if held:
                ppg.push(red, infrared, held)
            if lost:
                ppg.gap(lost * 1000 // RATE_HZ)
            yield ppg.vitals(second * 1000)


def main(path, kind):  # type: ignore[no-untyped-def]
    """Print every answer."""
    for answer in answers(path, kind == "ir"):
        print(" ".join(["-" if value is None else str(value) for value in answer]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
