"""Cost of one assessment and one alarm step on both runtimes, and the heap over 10^6 of each."""

import time
from collections.abc import Iterator
from pathlib import Path

from crs_core.grade import alarms, grader
from crs_core.grade.rules import DEFAULT

from tools.rig.grade_run import Life
from tools.rig.micropython import run_micropython

SCRIPT = Path(__file__).resolve().parent / "grade_cost.py"
MICROPYTHON_MAX_US = 100
CPYTHON_MAX_US = 15
STEPS = 1_000_000
ROUNDS = 7


def rows() -> Iterator[tuple[str, str, str, bool]]:
    """(name, figure, target, reached). Times: best of some rounds over one random life."""
    us = _cpython("grader")
    yield "grade: assessment, CPython", f"{us:.1f} us", f"<= {CPYTHON_MAX_US} us", us <= CPYTHON_MAX_US
    us = _cpython("alarms")
    yield "grade: alarm step, CPython", f"{us:.1f} us", f"<= {CPYTHON_MAX_US} us", us <= CPYTHON_MAX_US
    done = run_micropython(SCRIPT, str(STEPS), heap="256k", timeout_s=900)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    figures = dict(line.split() for line in done.stdout.splitlines())
    for name, what in (
        ("grader_ns", "assessment"),
        ("entries_ns", "assessment with entries"),
        ("alarms_ns", "alarm step"),
    ):
        us = int(figures[name]) / 1000
        yield (
            f"grade: {what}, MicroPython unix",
            f"{us:.1f} us",
            f"<= {MICROPYTHON_MAX_US} us",
            us <= MICROPYTHON_MAX_US,
        )
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
