"""Cost and accuracy of the PPG chain, both on real MicroPython: generated fingers, and recordings with an ECG.

Accuracy is over all answers that the chain called valid. A kept share is over every second from the fifth second of
contact on; for movement it is over every second. Answers are compared with the truth 2 s earlier, the middle of their
window.
"""

import ast
import math
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tools.data.ppg_generator import Burst, Subject, constant, ramp, samples
from tools.lab.bench import i2c, ppg_recordings
from tools.lab.bench.measuring import Row

ROOT = Path(__file__).resolve().parents[3]
BURSTS = (Burst(8, 12), Burst(20, 26), Burst(34, 38), Burst(46, 54))
MOVED = ((75, 97), (105, 88), (60, 92), (130, 85), (90, 80), (50, 95))  # heart rate, SpO2
_VALID = 0
Answer = tuple[int, int | None, int | None, int]  # second, SpO2 in tenths, heart rate, state


def _micropython(script: str, *args: str, tool: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    interpreter = Path(sys.executable).parent / "micropython"
    return subprocess.run(
        [*tool, str(interpreter), "-X", "heapsize=8M", str(ROOT / script), *args],
        capture_output=True, text=True, check=True, env={"MICROPYPATH": f"{ROOT / 'firmware'}:{ROOT}:.frozen"},
    )  # fmt: skip


def _packed(stream: Iterable[tuple[int, int]]) -> bytes:
    return b"".join(struct.pack("<II", *pair) for pair in stream)


def _answers(stream: Iterable[tuple[int, int]]) -> list[Answer]:
    """The answers of the firmware's own chain, one a second."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(_packed(stream))
        file.flush()
        lines = _micropython("tools/rig/on_micropython/ppg_answers.py", file.name).stdout.splitlines()[:-1]
    found = [ast.literal_eval(line) for line in lines]
    return [(second, spo2, rate, state) for second, (spo2, rate, _, state) in enumerate(found, 1)]


@dataclass
class Errors:
    """Errors of the valid answers, and the number of seconds that were asked."""

    rate_bpm: list[float] = field(default_factory=list)
    spo2_pct: list[float] = field(default_factory=list)
    asked: int = 0

    def add(self, subject: Subject, seed: int, seconds: int = 60, from_s: int = 5) -> "Errors":
        """Run a subject and add its errors."""
        for t_s, spo2, rate, state in _answers(samples(subject, seconds, seed)):
            if t_s < from_s:
                continue
            self.asked += 1
            if state == _VALID and spo2 is not None and rate is not None:
                self.rate_bpm.append(abs(rate - subject.hr_bpm(t_s - 2)))
                self.spo2_pct.append(abs(spo2 / 10 - subject.spo2_pct(t_s - 2)))
        return self

    @property
    def mae_bpm(self) -> float:
        """Mean absolute error of the heart rate; infinite without a value."""
        return sum(self.rate_bpm) / len(self.rate_bpm) if self.rate_bpm else math.inf

    @property
    def arms_pct(self) -> float:
        """Root mean square error of SpO2; infinite without a value."""
        total = sum(e * e for e in self.spo2_pct)
        return math.sqrt(total / len(self.spo2_pct)) if self.spo2_pct else math.inf

    @property
    def kept_pct(self) -> float:
        """Share of valid answers."""
        return 100 * len(self.spo2_pct) / self.asked if self.asked else 0.0

    @property
    def wrong_pct(self) -> float:
        """Share of valid answers whose SpO2 is off by more than 4 %."""
        return 100 * sum(e > 4 for e in self.spo2_pct) / len(self.spo2_pct) if self.spo2_pct else 0.0


def _finger(rate: float = 75, spo2: float = 97, pi: float = 1.0, **more: object) -> Subject:
    return Subject(constant(rate), constant(spo2), constant(pi), **more)  # type: ignore[arg-type]


def _cost() -> Iterator[Row]:
    short, long = 2, 22
    with tempfile.NamedTemporaryFile() as file:
        file.write(_packed(samples(Subject(), 40)))
        file.flush()
        cost = ("tools/rig/on_micropython/ppg_cost.py", file.name)
        seconds = min(_cpu_s(*cost, str(long)) - _cpu_s(*cost, str(short)) for _ in range(3))
        per_sample_us = seconds * 1e6 / ((long - short) * 1000)
        name = "PPG filter and analysis, processor time on MicroPython unix"
        yield name, f"{per_sample_us:.2f} us/sample", "<= 3 us/sample", per_sample_us <= 3
        name = "PPG filter and analysis, instructions"
        valgrind = shutil.which("valgrind")
        if valgrind is None:
            yield name, "not measured here: no valgrind", "<= 25000 /sample", False
        else:
            tool = (valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null")
            reports = [_micropython(*cost, count, tool=tool).stderr for count in ("1", "4")]
            few, many = (int(re.findall(r"Collected : (\d+)", report)[0]) for report in reports)
            each = (many - few) // 3000
            yield name, f"{each} /sample (callgrind)", "<= 25000 /sample", each <= 25000
    used = int(_micropython("tools/rig/on_micropython/sample_path_allocates_nothing.py").stdout.split()[1])
    yield "PPG heap growth over 25 bursts, FIFO to filter", f"{used} B", "0 B", used == 0


def _cpu_s(*command: str) -> float:
    """Processor time of one run, which other programs on the machine hardly change."""
    before = os.times()
    _micropython(*command)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def _still() -> Iterator[Row]:
    clean = Errors()
    for seed, rate in enumerate(range(40, 201, 10), 1):
        clean.add(_finger(rate), seed)
    worst = max(clean.rate_bpm)
    figure = f"MAE {clean.mae_bpm:.2f} bpm, worst {worst:.1f}, kept {clean.kept_pct:.0f} %"
    yield "HR 40..200, PI 1 %", figure, "MAE <= 0.8 bpm, all within 5", clean.mae_bpm <= 0.8 and worst <= 5
    for name, perfusions, most in (("PI 1 % and 3 %", (1.0, 3.0), 0.3), ("PI 0.2 %", (0.2,), 0.8)):
        found = Errors()
        for seed, spo2 in enumerate(range(70, 101, 5), 1):
            for pi in perfusions:
                for rate in (60, 85, 130):
                    found.add(_finger(rate, spo2, pi), seed, 30)
        figure = f"ARMS {found.arms_pct:.2f} %, worst {max(found.spo2_pct):.1f}, kept {found.kept_pct:.0f} %"
        yield f"SpO2 70..100 %, {name}", figure, f"ARMS <= {most} %", found.arms_pct <= most
    low = Errors()
    for seed in range(1, 4):
        for spo2 in (70, 80, 89):
            for rate in (60, 100, 150):
                low.add(_finger(rate, spo2, 0.5), seed, 30)
    yield "kept below 90 %, PI 0.5 %", f"{low.kept_pct:.1f} %", ">= 80 %", low.kept_pct >= 80


def _moved() -> Iterator[Row]:
    for motion in (0.01, 0.02, 0.03):
        whole, kept = Errors(), []
        for rate, spo2 in MOVED:
            found = Errors()
            for seed in range(1, 6):
                found.add(_finger(rate, spo2, motion=motion, bursts=BURSTS), seed, from_s=1)
            kept.append(found.kept_pct)
            whole.rate_bpm += found.rate_bpm
            whole.spo2_pct += found.spo2_pct
            whole.asked += found.asked
        figure = (
            f"{whole.wrong_pct:.2f} % wrong, {whole.kept_pct:.0f} % kept (least {min(kept):.0f} %), "
            f"ARMS {whole.arms_pct:.2f} %, HR MAE {whole.mae_bpm:.2f} bpm"
        )
        name = f"movement of {motion * 100:g} % of the level, 22 s of 60: off by more than 4 %"
        yield name, figure, "<= 1 %, >= 50 % kept", whole.wrong_pct <= 1 and whole.kept_pct >= 50


def _silent() -> Iterator[Row]:
    still = [
        _finger(pi=0, noise_counts=noise, infrared_level=level, red_level=level * 0.85, drift=drift)
        for noise in (0, 15, 80)
        for level, drift in ((30_000, 0.003), (120_000, 0.03), (220_000, 0.003))
    ]
    still += [_finger(pi=0, breathing_hz=hz, breathing=0.003) for hz in (0.2, 0.4, 0.7)]
    count, asked = 0, 0
    for seed, subject in enumerate(still, 1):
        found = Errors().add(subject, seed, from_s=1)
        count += len(found.spo2_pct)
        asked += found.asked
    name = "values without a pulse: noise, drift, breathing, table top"
    yield name, f"{count} in {asked} seconds", "0", count == 0


def _latency() -> Iterator[Row]:
    worst = 0.0
    for seed in range(8):
        on_s = 3 + seed * 0.12
        subject = Subject(contact=lambda t_s, on_s=on_s: t_s >= on_s)
        first = next((a[0] for a in _answers(samples(subject, 14, seed)) if a[3] == _VALID), math.inf)
        worst = max(worst, first - on_s)
    yield "contact to first value, worst of 8", f"{worst:.2f} s", "<= 5 s", worst <= 5
    worst = 0.0
    for seed in range(8):
        subject = Subject(spo2_pct=ramp(97, 85, 20, 30))
        out = _answers(samples(subject, 50, seed))
        seen_s = next((a[0] for a in out if a[1] is not None and a[1] < 900), math.inf)
        worst = max(worst, seen_s - (20 + 10 * 7 / 12))
    yield "falling 1.2 % a second: below 90 % shown after, worst of 8", f"{worst:.2f} s", "<= 5 s", worst <= 5


def _recorded() -> Iterator[Row]:
    target = ">= 93 % within 5 bpm, >= 60 % kept"
    folder = ppg_recordings.data_dir()
    if folder is None:
        yield "HR against an ECG", "not measured here: no recordings (CRS_DATA_DIR)", target, False
        return
    for recording in ppg_recordings.with_ecg(folder):
        out = _answers(recording.samples)
        errors = []
        for t_s, _, rate, state in out:
            truth = recording.rate_bpm(t_s)
            if state == _VALID and rate is not None and truth is not None:
                errors.append(abs(rate - truth))
        kept = 100 * sum(a[3] == _VALID for a in out) / len(out)
        near = 100 * sum(e <= 5 for e in errors) / len(errors) if errors else 0.0
        mae_bpm = sum(errors) / max(1, len(errors))
        figure = f"{near:.1f} % of {len(errors)} within 5 bpm, MAE {mae_bpm:.2f} bpm, {kept:.0f} % kept"
        yield f"HR against the ECG, {recording.name}", figure, target, near >= 93 and kept >= 60


def rows() -> Iterator[Row]:
    for bench in (_cost, i2c.rows, _still, _moved, _silent, _latency, _recorded):
        yield from bench()
