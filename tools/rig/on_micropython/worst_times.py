"""Runs on MicroPython: seconds from a true crossing to its alarm, crossing at every second of the schedule's round.

argv: step of the phase in ms. Prints `time SCHEDULE CONDITION WORST_MS PHASES`.
"""

import gc
import sys

from crs_core import codes
from crs_core.grade.rules import DEFAULT
from crs_device.measuring.schedule import dark_ms
from tools.rig.on_micropython.worn_life import SETTLED_MS, WornLife

HIGH = codes.PRIORITY_HIGH
MEDIUM = codes.PRIORITY_MEDIUM
# name, saturation after the crossing, alarm, priority
CROSSINGS = (("spo2_fast", 86.5, HIGH), ("spo2_slow", 88.8, HIGH), ("spo2_medium", 90.8, MEDIUM))
SETTLE_MS = 12_000  # of the schedule's first round


def total_ms(calm_after_ms, phase_ms: int, spo2_pct: float, priority: int) -> int:  # type: ignore[no-untyped-def]
    """From the crossing, `phase_ms` into a round, to the alarm."""
    life = WornLife(calm_after_ms, seed=1 + phase_ms // 1000)
    crossing_ms = SETTLED_MS + SETTLE_MS + phase_ms
    life.live_until(crossing_ms)
    life.wearer.spo2_pct = spo2_pct
    raised_ms = life.live_until(crossing_ms + 300_000, codes.HYPOXAEMIA, priority)
    if not raised_ms:
        raise AssertionError("never raised: phase %d" % phase_ms)
    return raised_ms - crossing_ms


def main(step_ms: int) -> None:
    """Every condition in both schedules."""
    round_ms = dark_ms(DEFAULT) + 10_000
    schedules = (("continuous", None, 3_000, step_ms // 8), ("by_state", 0, round_ms, step_ms))
    for schedule, calm_after_ms, span_ms, each_ms in schedules:
        for name, spo2_pct, priority in CROSSINGS:
            worst = phases = 0
            for phase_ms in range(0, span_ms, each_ms):
                worst = max(worst, total_ms(calm_after_ms, phase_ms, spo2_pct, priority))
                phases += 1
                gc.collect()
            print("time", schedule, name, worst, phases)


main(int(sys.argv[1]))
