"""Cost and accuracy of the PPG chain: real MicroPython for time and heap, generated fingers for the errors.

Every accuracy row is over all answers that the chain called valid after the first 5 s of contact.
"""

import math
import struct
import subprocess
import sys
import tempfile
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "firmware"))

from crs_device.signal.ppg import Ppg  # noqa: E402 the firmware is not installed, only found

from tools.ppg_generator import OUT_HZ, Burst, Subject, constant, ramp, samples  # noqa: E402

BURSTS = (Burst(8, 12), Burst(20, 26), Burst(34, 38), Burst(46, 54))
_VALID = 0
Row = tuple[str, str, str, bool]
Answer = tuple[float, int | None, int | None, int]


def _answers(subject: Subject, seconds: float, seed: int) -> Iterator[Answer]:
    ppg, red, infrared, held = Ppg(), array("i", [0] * 32), array("i", [0] * 32), 0
    for count, (a, b) in enumerate(samples(subject, seconds, seed), 1):
        red[held], infrared[held] = a, b
        held += 1
        if held == 10:
            ppg.push(red, infrared, held)
            held = 0
        if count % OUT_HZ == 0:
            spo2, rate, _, state = ppg.vitals(count * 1000 // OUT_HZ)
            yield count / OUT_HZ, spo2, rate, state


def _errors(subjects: Iterable[Subject], seconds: float = 60) -> tuple[list[float], list[float], int]:
    rates, spo2s, asked = [], [], 0
    for seed, subject in enumerate(subjects, 1):
        for t_s, spo2, rate, state in _answers(subject, seconds, seed):
            if t_s < 5:
                continue
            asked += 1
            if state == _VALID and spo2 is not None and rate is not None:
                rates.append(abs(rate - subject.hr_bpm(t_s - 2)))
                spo2s.append(spo2 / 10 - subject.spo2_pct(t_s - 2))
    return rates, spo2s, asked


def _accuracy(
    name: str, subjects: list[Subject], mae: float, arms: float, share: float, seconds: float = 60
) -> Row:
    rates, spo2s, asked = _errors(subjects, seconds)
    if not rates:
        return name, "no value at all", f"HR MAE <= {mae} bpm", False
    got_mae = sum(rates) / len(rates)
    got_arms = math.sqrt(sum(e * e for e in spo2s) / len(spo2s))
    figure = f"HR MAE {got_mae:.2f} bpm, SpO2 ARMS {got_arms:.2f} %, valid {100 * len(rates) / asked:.0f} %"
    target = f"<= {mae} bpm, <= {arms} %, >= {100 * share:.0f} %"
    return name, figure, target, got_mae <= mae and got_arms <= arms and len(rates) >= share * asked


def _cost() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "samples.bin"
        file.write_bytes(b"".join(struct.pack("<II", *pair) for pair in samples(Subject(), 120)))
        done = _micropython("tests/micropython/ppg_answers.py", str(file))
        words = done.splitlines()[-1].split()
    push_us, vitals_us = int(words[2]) / 1000, int(words[4])
    yield "PPG sample path, MicroPython unix", f"{push_us:.2f} us/sample", "<= 10 us/sample", push_us <= 10
    yield "PPG analysis each second, MicroPython unix", f"{vitals_us} us", "<= 1000 us", vitals_us <= 1000
    used = int(_micropython("tests/micropython/sample_path_allocates_nothing.py").split()[1])
    yield "PPG heap growth over 25 bursts, FIFO to filter", f"{used} B", "0 B", used == 0


def _micropython(script: str, *args: str) -> str:
    interpreter = Path(sys.executable).parent / "micropython"
    done = subprocess.run(
        [str(interpreter), str(ROOT / script), *args],
        capture_output=True, text=True, check=True, env={"MICROPYPATH": f"{ROOT / 'firmware'}:{ROOT}:.frozen"},
    )  # fmt: skip
    return done.stdout


def _latency() -> Iterator[Row]:
    worst = 0.0
    for seed in range(8):
        on_s = 3 + seed * 0.12
        subject = Subject(contact=lambda t_s, on_s=on_s: t_s >= on_s)
        worst = max(worst, next(a[0] for a in _answers(subject, 14, seed) if a[3] == _VALID) - on_s)
    yield "PPG contact to first value, worst of 8", f"{worst:.2f} s", "<= 5 s", worst <= 5
    worst = 0.0
    for seed in range(8):
        subject = Subject(spo2_pct=ramp(97, 85, 20, 30))
        told = next((a[0] for a in _answers(subject, 50, seed) if a[1] is not None and a[1] < 900), math.inf)
        worst = max(worst, told - (20 + 10 * 7 / 12))
    yield "PPG ramp 97 to 85 %: below 90 told after, worst of 8", f"{worst:.2f} s", "<= 5 s", worst <= 5


def rows() -> Iterator[Row]:
    """(name, figure, target, reached) of each measurement."""
    yield from _cost()
    rates = (30, 40, 50, 60, 75, 90, 110, 130, 150, 180, 200, 220)
    yield _accuracy("PPG HR 30..220, PI 1 %", [Subject(hr_bpm=constant(hr)) for hr in rates], 1.0, 0.5, 0.99)
    levels = (70, 75, 80, 85, 90, 95, 99.5)
    yield _accuracy("PPG SpO2 70..99.5 %", [Subject(spo2_pct=constant(s)) for s in levels], 0.6, 0.3, 0.99)
    for pi, arms, share in ((0.2, 0.6, 0.99), (0.1, 1.2, 0.75)):
        weak = [Subject(pi_pct=constant(pi), spo2_pct=constant(s)) for s in (75, 85, 92, 97)]
        yield _accuracy(f"PPG perfusion {pi} %", weak, 0.6, arms, share)
    for motion, arms, share in ((0.003, 0.8, 0.8), (0.01, 0.8, 0.5), (0.03, 2.0, 0.4)):
        moved = [Subject(motion=motion, bursts=BURSTS)] * 6
        yield _accuracy(f"PPG motion {motion * 100:g} % of DC in 37 % of the time", moved, 1.0, arms, share)
    still = [Subject(pi_pct=constant(0), noise_counts=noise) for noise in (0, 15, 80)]
    count = len(_errors(still)[0])
    yield "PPG worn without a pulse: values given in 3 minutes", str(count), "0", count == 0
    yield from _latency()
