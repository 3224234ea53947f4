"""Cost of one assessment and one alarm step on both runtimes, and the heap over 10^6 of each."""

import time
from collections.abc import Iterator
from pathlib import Path

from crs_core.grade import alarms, grader
from crs_core.grade.rules import DEFAULT

from tools.lab.bench.measuring import Row, words_of
from tools.rig.grade_run import Life

SCRIPT = Path(__file__).resolve().parent / "grade_cost.py"
MICROPYTHON_MAX_US = 100
CPYTHON_MAX_US = 15
STEPS = 1_000_000
ROUNDS = 7


MICROPYTHON = {"grader_ns": "assessment", "entries_ns": "assessment with entries", "alarms_ns": "alarm step"}


def rows() -> Iterator[Row]:
    """Times are the best of some rounds over one random life."""
    most = CPYTHON_MAX_US
    for which, what in (("grader", "assessment"), ("alarms", "alarm step")):
        us = _cpython(which)
        yield f"grade: {what}, CPython", f"{us:.1f} us", f"<= {most} us", us <= most
    figures = dict(words_of(SCRIPT, str(STEPS), heap="256k", timeout_s=900))
    most = MICROPYTHON_MAX_US
    for name, what in MICROPYTHON.items():
        us = int(figures[name]) / 1000
        yield f"grade: {what}, MicroPython unix", f"{us:.1f} us", f"<= {most} us", us <= most
    growth = int(figures["growth"])
    yield f"grade: heap growth over {STEPS} steps of each", f"{growth} B", "0 B", growth <= 0


def _cpython(which: str) -> float:
    life = Life(7)
    inputs = [(life.next(), life.now_ms) for _ in range(2000)]
    readings = [life.reading(one)._replace(t_ms=now_ms) for one, now_ms in inputs]
    times = []
    for _ in range(ROUNDS):
        alarm_state = alarms.new_state()
        grader_state = grader.new_state()
        start = time.perf_counter()
        if which == "grader":
            for reading in readings:
                grader_state, _ = grader.step(grader_state, reading, reading.t_ms, DEFAULT)
        else:
            for one, now_ms in inputs:
                alarm_state, _ = alarms.step(alarm_state, one, now_ms, DEFAULT)
        times.append((time.perf_counter() - start) / len(inputs) * 1e6)
    return min(times)
