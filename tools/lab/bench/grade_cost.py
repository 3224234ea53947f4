"""Runs on MicroPython: ns per assessment without and with entries and per alarm step, and the heap's growth.

usage: grade_cost.py STEPS
"""

import gc
import sys
import time

from crs_core import units
from crs_core.grade import alarms, bedside, grader
from crs_core.grade.rules import DEFAULT

from tools.rig.grade_run import Life

ROUNDS = 7
EACH = 300
ENTERED = {"blood_pressure": "normal", "vasopressors": ["norepinephrine"], "oxygen": "nasal_cannula_low"}


def life_of(count: int) -> list:
    """[(reading, inputs, now_ms)] of a random wearer."""
    life = Life(7)
    steps = []
    for _ in range(count):
        one = life.next()
        status = units.make_status(one.site, one.temp_state, one.ppg_state, one.wear)
        values = one.temp_cc, one.spo2_tenths, one.hr_bpm, one.pi_hundredths
        steps.append((units.Reading(life.now_ms, *values, status), one, life.now_ms))
    return steps


def once(steps: list) -> tuple:
    """ns per assessment, ns per assessment with entries in force, ns per alarm step."""
    graded = []
    for values in ({}, ENTERED):
        gc.collect()
        state = bedside.enter(grader.new_state(), values, steps[0][2], DEFAULT)
        begun = time.ticks_us()
        for reading, _, now_ms in steps:
            state, _ = grader.step(state, reading, now_ms, DEFAULT)
        graded.append(time.ticks_diff(time.ticks_us(), begun) * 1000 // len(steps))
    gc.collect()
    state = alarms.new_state()
    begun = time.ticks_us()
    for _, inputs, now_ms in steps:
        state, _ = alarms.step(state, inputs, now_ms, DEFAULT)
    return graded[0], graded[1], time.ticks_diff(time.ticks_us(), begun) * 1000 // len(steps)


steps = life_of(EACH)
times = [once(steps) for _ in range(ROUNDS)]
print("grader_ns", min([one[0] for one in times]))
print("entries_ns", min([one[1] for one in times]))
print("alarms_ns", min([one[2] for one in times]))
held = [0, 0]
# The first part makes all allocations that happen only once.
for part, count in enumerate((int(sys.argv[1]) // 10, int(sys.argv[1]))):
    for _ in range(count // EACH):
        once(steps)
    gc.collect()
    held[part] = gc.mem_alloc()
print("growth", held[1] - held[0])
