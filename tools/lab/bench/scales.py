"""Compare every scale with brute force and both runtimes with each other; measure the cost of one case.

The reference are the plain tables in tools/rig; the cases come from the generator that runs on both runtimes.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import combinations
from typing import Any

from crs_core.grade import case
from crs_core.grade.scales import ICANS, SCALES

from tools.lab.bench.measuring import Row
from tools.rig import plain_worlds
from tools.rig.case_run import SITES, TEMPERATURES, VALUES, Dice, random_case
from tools.rig.micropython import FIRMWARE, ROOT, interpreter

CASES = 100_000
SUBSET_CASES = 20
SUBSET_KEYS = 10
WIDTH_CASES = 400
CASE_MAX_US = 1000
NAMES = [scale.name for scale in (*SCALES, ICANS)]
WEARABLE = ("temperature_cc", "spo2_tenths", "hr_bpm")
PRESSURE = (*WEARABLE, "blood_pressure", "vasopressors")
OXYGEN = (*PRESSURE, "oxygen", "fio2_pct")
DOSE = (*OXYGEN, "vasopressor_dose", "vasopressor_hours", "refractory", "fluids_for_bp", "fever_earlier")
SCENARIOS = {
    "wearable alone": WEARABLE,
    "and blood pressure, drugs": PRESSURE,
    "and oxygen": OXYGEN,
    "and dose, hours, fluids": DOSE,
    "and laboratory": (
        *DOSE, "organ_grade", "transaminase_grade", "creatinine_grade", "constitutional", "coagulopathy_treated",
        "hospitalised_for_crs",
    ),
}  # fmt: skip


def rows() -> Iterator[Row]:
    yield from _cost()
    for name, figure in _widths():
        yield f"scales: median width, {name}", figure, "reported", True
    subsets, wrong = _subsets()
    yield "scales: every subset of missing keys", f"{subsets} cases, {wrong} differ", "0 differ", wrong == 0
    counts, differ = _against_brute_force()
    least = min(counts.values())
    figure, target = (
        f"{least} cases or more on each of {len(NAMES)} scales, {differ} differ",
        f">= {CASES} cases",
    )
    is_same = differ == 0 and least >= CASES
    yield "scales: interval and ambiguity = brute force", figure, f"{target}, 0 differ", is_same
    here, there = _both_runtimes()
    name = "scales: same results on MicroPython and CPython"
    yield name, f"{CASES} cases, {here} {there}", f"{target}, the same hash", here == there != ""


def _differs(inputs: dict[str, Any], counts: dict[str, int]) -> int:
    wrong = 0
    for name, grade in case.assess(inputs)["grades"].items():
        counts[name] += 1
        expected: tuple[tuple[int | None, int | None], bool] = ((None, None), False)
        if plain_worlds.is_gradable(name, inputs):
            expected = plain_worlds.brute(name, inputs), plain_worlds.is_ambiguous(name, inputs)
        if ((grade["lower"], grade["upper"]), grade["ambiguous"]) != expected:
            wrong += 1
            print(f"differs: {name} {inputs}", file=sys.stderr)
    return wrong


def _against_brute_force() -> tuple[dict[str, int], int]:
    """Random cases until every scale had CASES of them; not every case has ICANS."""
    dice = Dice(20_261_124)
    counts = dict.fromkeys(NAMES, 0)
    differ = 0
    while min(counts.values()) < CASES:
        differ += _differs(random_case(dice), counts)
    return counts, differ


def _subsets() -> tuple[int, int]:
    """Cases of ten keys, each graded with every subset of its keys; (cases, how many differ)."""
    dice = Dice(7)
    done = wrong = 0
    counts = dict.fromkeys(NAMES, 0)
    for _ in range(SUBSET_CASES):
        whole: dict[str, Any] = {}
        while len(whole) < SUBSET_KEYS:
            key, values = VALUES[dice.throw(len(VALUES))]
            whole[key] = values[dice.throw(len(values))]
        for count in range(len(whole) + 1):
            for kept in combinations(sorted(whole), count):
                wrong += _differs({key: whole[key] for key in kept}, counts)
                done += 1
    return done, wrong


def _widths() -> Iterator[tuple[str, str]]:
    """Median of upper - lower by scale; cases that a scale cannot grade are left out."""
    values = dict(VALUES)
    for name, keys in SCENARIOS.items():
        dice = Dice(11)
        widths: dict[str, list[int]] = {scale.name: [] for scale in SCALES}
        for _ in range(WIDTH_CASES):
            inputs: dict[str, Any] = {"temperature_cc": TEMPERATURES[dice.throw(len(TEMPERATURES))]}
            inputs["site"] = SITES[dice.throw(len(SITES))]
            inputs |= {key: values[key][dice.throw(len(values[key]))] for key in keys if key in values}
            for scale, grade in case.assess(inputs)["grades"].items():
                widths[scale].append(grade["upper"] - grade["lower"])
        yield name, ", ".join(f"{scale} {statistics.median(found):g}" for scale, found in widths.items())


def _cost() -> Iterator[tuple[str, str, str, bool]]:
    dice = Dice(3)
    cases = [random_case(dice) for _ in range(2000)]
    begun_s = time.perf_counter()
    for inputs in cases:
        case.assess(inputs)
    first_us = (time.perf_counter() - begun_s) / len(cases) * 1e6
    begun_s = time.perf_counter()
    for inputs in cases:
        case.assess(inputs)
    again_us = (time.perf_counter() - begun_s) / len(cases) * 1e6
    figure = f"{first_us:.0f} us, {again_us:.0f} us a second time"
    yield "scales: one case on all scales, CPython", figure, f"<= {CASE_MAX_US} us", first_us <= CASE_MAX_US


def _both_runtimes() -> tuple[str, str]:
    script = [str(ROOT / "tools/rig/case_run.py"), str(CASES), "20261124"]
    paths = {"PYTHONPATH": f"{ROOT}:{FIRMWARE}", "MICROPYPATH": f"{FIRMWARE}:{ROOT}:.frozen"}
    commands = [[sys.executable, *script], [interpreter(), "-X", "heapsize=16M", *script]]
    running = [subprocess.Popen(each, stdout=subprocess.PIPE, text=True, env=paths) for each in commands]
    printed = [process.communicate()[0].strip() for process in running]
    if any(process.returncode for process in running):
        raise RuntimeError(f"a runtime failed: {printed}")
    return printed[0].removeprefix("hash "), printed[1].removeprefix("hash ")
