"""Feed the PPG chain as the firmware does and write one row a second; runs on MicroPython and CPython.

Samples are pairs of int32 (red, infrared), 25 a second; LOST marks a lost sample. As a script it reads them from stdin
and writes rows to stdout; argv[1] is "ir-only" or "red-and-ir".
"""

import struct
import sys
from array import array

from crs_core import units
from crs_core.spo2_curve import AN6845
from crs_device.signal.ppg import LIGHT_ALIKE, LIGHT_EXCHANGED, LIGHT_UPSIDE_DOWN, Ppg

HEADER = "t_s,hr_bpm,spo2_pct,pi_pct,valid,reason"
LOST = -1
SAMPLE = "<ii"
SAMPLE_BYTES = 8
PER_SECOND = 25
_DRAIN = 10  # the firmware reads at most so many samples at once
_PERIOD_MS = 40

REASONS = {
    units.PPG_ABSENT: "absent",  # no samples yet, or red stays dark under a finger
    units.PPG_NO_CONTACT: "no contact",
    units.PPG_SETTLING: "settling",
    units.PPG_LOW_PERFUSION: "low perfusion",
    units.PPG_MOTION: "motion",
    units.PPG_IRREGULAR: "irregular",
    units.PPG_SATURATED: "saturated",
    units.PPG_STALE: "stale",
    units.PPG_NO_PULSE: "no pulse",
    units.PPG_RESTING: "resting",
}
# of units.PPG_SWAPPED
WRONG_LIGHTS = {
    LIGHT_EXCHANGED: "swapped channels",
    LIGHT_UPSIDE_DOWN: "upside down",
    LIGHT_ALIKE: "same channel twice",
}


class Replay:
    """Call `take()` for every sample in order, then `end()`; both return a row with its line end after each second.

    `ratio_milli` is R of that row in thousandths, 0 when it has no value.
    """

    def __init__(self, ir_only: bool) -> None:
        self._ppg = Ppg(AN6845, ir_only)
        self._red = array("i", [0] * _DRAIN)
        self._infrared = array("i", [0] * _DRAIN)
        self._held = 0
        self._lost = 0
        self._count = 0
        self.ratio_milli = 0

    def take(self, red: int, infrared: int) -> "str | None":
        """Take one sample in counts, or LOST in both."""
        self._count += 1
        if infrared == LOST:
            self._drain()
            self._lost += 1
        else:
            self._report_hole()
            self._red[self._held] = red
            self._infrared[self._held] = infrared
            self._held += 1
            if self._held == _DRAIN:
                self._drain()
        return None if self._count % PER_SECOND else self._row()

    def end(self) -> "str | None":
        """The row of a last second that is incomplete."""
        return self._row() if self._count % PER_SECOND else None

    def _drain(self) -> None:
        self._ppg.push(self._red, self._infrared, self._held)
        self._held = 0

    def _report_hole(self) -> None:
        if self._lost:
            self._ppg.gap(self._lost * _PERIOD_MS)
            self._lost = 0

    def _row(self) -> str:
        self._drain()
        # The chain must know of a hole now: its samples before the hole are less than a second old.
        self._report_hole()
        spo2_tenths, hr_bpm, pi_hundredths, state = self._ppg.vitals(self._count * _PERIOD_MS)
        t_s = (self._count + PER_SECOND - 1) // PER_SECOND
        self.ratio_milli = self._ppg.ratio_milli if state == units.PPG_VALID else 0
        if state != units.PPG_VALID:
            wrong = state == units.PPG_SWAPPED
            return f"{t_s},,,,0,{WRONG_LIGHTS[self._ppg.wrong_light] if wrong else REASONS[state]}\n"
        spo2 = "" if spo2_tenths is None else f"{spo2_tenths // 10}.{spo2_tenths % 10}"
        perfusion = f"{pi_hundredths // 100}.{pi_hundredths % 100:02d}"
        return f"{t_s},{hr_bpm},{spo2},{perfusion},1,\n"


def main(ir_only: bool) -> None:
    """Copy from stdin to stdout until stdin ends."""
    replay = Replay(ir_only)
    read = sys.stdin.buffer.read
    while True:
        packed = read(SAMPLE_BYTES)
        if len(packed) < SAMPLE_BYTES:
            break
        row = replay.take(*struct.unpack(SAMPLE, packed))
        if row:
            sys.stdout.write(row)
    row = replay.end()
    if row:
        sys.stdout.write(row)


if __name__ == "__main__":
    main(sys.argv[1] == "ir-only")
