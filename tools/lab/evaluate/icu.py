"""Run charted stays of `icu-vitals` through the wearable's rules: speed, guards, both runtimes, fuller intervals.

These are real patients without the syndrome, charted about hourly, so they cannot show how well a fever is found. Each
charted instant is one reading; a sign that was not charted then is absent. The file does not name the site of the
temperature; it is taken as `core`, so that the fever criterion can be decided. The file has no vasopressors and no
oxygen device except the ventilator, so the fuller grade is an interval, too, and must lie within the wearable's.
"""

import os
import struct
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crs_core import code_texts, units
from crs_core.grade import case, grader
from crs_core.grade.assessment import Assessment
from crs_core.units import Reading

from tools.data.recording.icu import Stay
from tools.data.table.problems import TableError
from tools.data.table.reader import Table
from tools.data.table.text_lines import opened
from tools.lab.evaluate.micropython import stay_run
from tools.rig.micropython import run_micropython

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = Path(stay_run.__file__)
ALL_MAX_S = 20
LEAST_STAYS = 200
CONTEXT_MIN = 60  # so long a charted pressure is valid; a ventilator is charted every few hours
VENTILATOR_MIN = 240
_CHARTED = ("Temp", "SaO2", "HR", "SysABP", "NISysABP", "MechVent", "Age")


class NoRecordings(Exception):  # noqa: N818
    """The recordings are missing; the text says where they should be."""


@dataclass
class Charted:
    """One stay: the signs that a wearable measures and, by minute, the entries of people."""

    number: int
    signs: Stay = field(default_factory=Stay)
    systolic_mmhg: dict[int, int] = field(default_factory=dict)
    ventilated_min: list[int] = field(default_factory=list)
    age_months: int | None = None

    def readings(self) -> list[Reading]:
        """One reading for each charted instant."""
        signs = self.signs.signs
        found = []
        for minute in sorted(set().union(*signs.values())):
            temp, spo2, hr = (signs[name].get(minute) for name in ("Temp", "SaO2", "HR"))
            status = units.make_status(
                units.SITE_CORE,
                units.TEMP_ABSENT if temp is None else units.TEMP_VALID,
                units.PPG_ABSENT if spo2 is None and hr is None else units.PPG_VALID,
                units.WEAR_UNKNOWN,
            )
            scaled = ((temp, 100), (spo2, 10), (hr, 1))
            values = (None if number is None else round(number * scale) for number, scale in scaled)
            found.append(Reading(int(minute) * stay_run.MINUTE_MS, *values, None, status))
        return found


def find() -> Path:
    """The file below CRS_DATA_DIR, else ../shared/data; NoRecordings when it is missing."""
    path = Path(os.environ.get("CRS_DATA_DIR", ROOT.parent / "shared" / "data")) / "icu-vitals/vitals.csv.gz"
    if not path.is_file():
        raise NoRecordings(f"no recordings at {path}: set CRS_DATA_DIR")
    return path


def read(path: Path) -> list[Charted]:
    """Every stay of the file in one pass, in the order of the file; NoRecordings names each bad line."""
    stays: dict[str, Charted] = {}
    try:
        with opened(path) as raw:
            table = Table(raw, path)
            places = [table.find(name) or 0 for name in ("rec", "minute", "name", "value")]
            for cells in table.rows():
                record, minute, name, value = (cells[place] for place in places)
                try:
                    stay = stays.get(record) or stays.setdefault(record, Charted(int(record)))
                    if name in _CHARTED:
                        _take(stay, table.numbers.read(minute), name, table.numbers.read(value))
                except ValueError as error:
                    table.problems.add(f"line {table.line}: {error}")
            table.problems.check()
    except TableError as error:
        raise NoRecordings(str(error)) from None
    for stay in stays.values():
        stay.signs.forget_contradicted()
    return list(stays.values())


def _take(stay: Charted, minute: float, name: str, value: float) -> None:
    if name in stay.signs.signs:
        stay.signs.add(minute, name, value)
    elif name in ("SysABP", "NISysABP"):
        if 30 <= value <= 260:
            # Of two pressures in one minute the lower one decides.
            pressure, at = round(value), int(minute)
            stay.systolic_mmhg[at] = min(pressure, stay.systolic_mmhg.get(at, pressure))
    elif name == "MechVent":
        stay.ventilated_min.append(int(minute))
    elif 0 <= value <= 120:
        stay.age_months = 12 * round(value)


def pack(number: int, readings: list[Reading]) -> bytes:
    """The bytes that micropython/stay_run.py reads."""
    out = [struct.pack(stay_run.HEAD, number, len(readings))]
    for r in readings:
        values = (0 if one is None else one + 1 for one in (r.temp_cc, r.spo2_tenths, r.hr_bpm))
        out.append(struct.pack(stay_run.ROW, r.t_ms // stay_run.MINUTE_MS, *values, r.status))
    return b"".join(out)


def fuller_case(stay: Charted, reading: Reading, latched: bool) -> dict[str, Any] | None:
    """The facts of a reading and of the chart, in the vocabulary; None without temperature or pressure."""
    minute = reading.t_ms // stay_run.MINUTE_MS
    recent = [at for at in stay.systolic_mmhg if minute - CONTEXT_MIN <= at <= minute]
    if reading.temp_cc is None or not recent:
        return None
    inputs: dict[str, Any] = {"temperature_cc": reading.temp_cc, "site": "core"}
    inputs["systolic_mmhg"] = stay.systolic_mmhg[max(recent)]
    if stay.age_months is not None:
        inputs["age_months"] = stay.age_months
    if latched:
        inputs["fever_earlier"] = True
    if reading.spo2_tenths is not None:
        inputs["spo2_tenths"] = reading.spo2_tenths
    if any(minute - VENTILATOR_MIN <= at <= minute for at in stay.ventilated_min):
        inputs["oxygen"] = "invasive_ventilation"
    return inputs


@dataclass
class Comparison:
    """The wearable's interval compared with the fuller one, over all instants that have both."""

    instants: int = 0
    outside: int = 0
    widths: Counter[tuple[int, int]] = field(default_factory=Counter)  # (wearable's, fuller)
    _known: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, told: Assessment, inputs: dict[str, Any]) -> None:
        key = repr({**inputs, "temperature_cc": inputs["temperature_cc"] >= 3800})
        # The height of the fever does not change the interval.
        if key not in self._known:
            grade = case.assess(inputs)["grades"]["ASTCT"]
            self._known[key] = grade["lower"], grade["upper"]
        lower, upper = self._known[key]
        self.instants += 1
        self.outside += not told.lower <= lower <= upper <= told.upper
        self.widths[(told.upper - told.lower, upper - lower)] += 1


def rows(compared: int) -> Iterator[tuple[str, str, str, bool]]:
    """Rows of the charted stays; `compared` of them are run on both runtimes."""
    stays = read(find())
    charted = [(stay, stay.readings()) for stay in stays]
    count = sum(len(readings) for _, readings in charted)
    told_by: Counter[int] = Counter()
    changes_by: Counter[tuple[int, int]] = Counter()
    graded = 0

    def tell(reading: Reading, told: Assessment, changes: list[tuple[int, int]], state: Any) -> None:
        nonlocal graded
        told_by.update(told.reasons)
        changes_by.update(changes)
        graded += told.lower is not None

    begun_s = time.perf_counter()
    for _, readings in charted:
        stay_run.run(readings, tell=tell)
    took_s = time.perf_counter() - begun_s
    shown = f"{took_s:.1f} s for {len(stays)} stays, {count} readings"
    yield "all stays through grader and alarms, CPython", shown, f"<= {ALL_MAX_S} s", took_s <= ALL_MAX_S
    parts = ", ".join(f"{code_texts.reason_text(code)} {n}" for code, n in told_by.most_common())
    shown = f"{graded} of {count} readings gradable; {parts}"
    yield "guards and reasons of all stays", shown, "no reading refused by an error", True
    dropped = sum(stay.signs.dropped for stay in stays)
    yield "charted values outside what a body can have, left out", str(dropped), "reported", True
    raised = [
        (code_texts.ALARM_NAMES[alarm], n) for (alarm, priority), n in sorted(changes_by.items()) if priority
    ]
    shown = ", ".join(f"{name} {n}" for name, n in raised)
    yield "alarm starts and rises over hourly charts (they give no rate)", shown, "reported", True
    yield from _intervals(charted)
    yield _both_runtimes(charted, compared)


def _intervals(charted: list[tuple[Charted, list[Reading]]]) -> Iterator[tuple[str, str, str, bool]]:
    result = Comparison()
    for stay, readings in charted:

        def tell(reading: Reading, told: Any, changes: Any, state: Any, stay: Charted = stay) -> None:
            if told.lower is None:
                return
            inputs = fuller_case(stay, reading, grader.fever_latched(state))
            if inputs is not None:
                result.add(told, inputs)

        stay_run.run(readings, tell=tell)
    name = "instants where the interval with pressure and ventilator leaves the wearable's"
    yield name, f"{result.outside} of {result.instants}", "0", result.outside == 0
    before: Counter[int] = Counter()
    after: Counter[int] = Counter()
    for (wearable, fuller), n in result.widths.items():
        before[wearable] += n
        after[fuller] += n
    shown = "; ".join(
        f"{name}: "
        + ", ".join(f"{width} wide {100 * n / result.instants:.0f} %" for width, n in sorted(by.items()))
        for name, by in (("wearable", before), ("with the chart", after))
        if result.instants
    )
    target = "reported (vasopressors are not in the file)"
    yield "width of the interval at charted instants", shown, target, True


def _both_runtimes(charted: list[tuple[Charted, list[Reading]]], compared: int) -> tuple[str, str, str, bool]:
    chosen = charted[:compared]
    with tempfile.NamedTemporaryFile(suffix=".bin") as file:
        for stay, readings in chosen:
            file.write(pack(stay.number, readings))
        file.flush()
        ours = stay_run.hashes(file.name)
        done = run_micropython(SCRIPT, file.name, heap="2M", timeout_s=600)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    theirs = [line.split() for line in done.stdout.splitlines()]
    same = sum(
        [str(number), f"{crc:08x}"] == other for (number, crc), other in zip(ours, theirs, strict=False)
    )
    steps = sum(len(readings) for _, readings in chosen)
    shown = f"{same} of {len(chosen)} stays the same, {steps} readings"
    reached = same == len(chosen) == len(theirs) and same >= min(LEAST_STAYS, len(charted))
    target = f"bit for bit, >= {LEAST_STAYS} stays"
    return "MicroPython and CPython over charted stays", shown, target, reached
