"""Runs on MicroPython: ns per assessment and per alarm step, and the heap's growth. usage: grade_cost.py STEPS"""

import gc
import sys
import time

from crs_core import units
from crs_core.grade import alarms, grader
from crs_core.grade.rules import DEFAULT

from tests.micropython.grade_run import Life

ROUNDS = 7
EACH = 300


def life_of(count: int) -> list:
    """[(reading, inputs, now_ms)] of a random wearer."""
    life = Life(7)
    steps = []
    for _ in range(count):
        one = life.next()
        status = units.make_status(one.site, one.temp_state, one.ppg_state, one.wear)
        reading = units.Reading(
            life.now_ms, one.temp_cc, one.spo2_tenths, one.hr_bpm, one.pi_hundredths, status
        )
        steps.append((reading, one, life.now_ms))
    return steps


def once(steps: list) -> tuple:
    """ns per assessment, ns per alarm step."""
    gc.collect()
    state = grader.new_state()
    begun = time.ticks_us()
    for reading, _, now_ms in steps:
        state, _ = grader.step(state, reading, now_ms, DEFAULT)
    graded = time.ticks_diff(time.ticks_us(), begun) * 1000 // len(steps)
    gc.collect()
    state = alarms.new_state()
    begun = time.ticks_us()
    for _, inputs, now_ms in steps:
        state, _ = alarms.step(state, inputs, now_ms, DEFAULT)
    return graded, time.ticks_diff(time.ticks_us(), begun) * 1000 // len(steps)


steps = life_of(EACH)
times = [once(steps) for _ in range(ROUNDS)]
print("grader_ns", min([one[0] for one in times]))
print("alarms_ns", min([one[1] for one in times]))
held = [0, 0]
for half in (0, 1):  # what is allocated once is in the first half; growth would be in the second too
    for _ in range(int(sys.argv[1]) // EACH):
        once(steps)
    gc.collect()
    held[half] = gc.mem_alloc()
print("growth", held[1] - held[0])
