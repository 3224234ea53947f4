"""Heart rate on real recordings (CRS_DATA_DIR), against the ECG or an independent look at the whole recording.

They hold one optical channel; the second is made from it, so nothing is said here about SpO2.
"""

import csv
import gzip
import itertools
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from crs_core.units import PPG_VALID

from tests.device.signal.score import Answer, answers


def two_channels(wave: Sequence[float], seed: int = 1) -> list[tuple[int, int]]:
    """(red, infrared) counts of an absorption wave given as a fraction of the level, with the sensor's noise."""
    chance = random.Random(seed)
    return [
        (round(100000 * (1 - 0.5 * x) + chance.gauss(0, 7)), round(120000 * (1 - x) + chance.gauss(0, 7)))
        for x in wave
    ]


def resampled(values: Sequence[float], rate_hz: float) -> list[float]:
    """Means over 40 ms."""
    step = rate_hz / 25
    return [
        sum(values[int(i * step) : int((i + 1) * step)]) / len(values[int(i * step) : int((i + 1) * step)])
        for i in range(int(len(values) / step))
    ]


def beats_of_ecg(ecg: Sequence[float], rate_hz: int) -> list[float]:
    """Times (s) of the QRS complexes: steepest places, at least 0.3 s apart, a third of the local highest."""
    slope = [(ecg[i + 2] - ecg[i - 2]) ** 2 for i in range(2, len(ecg) - 2)]
    width = rate_hz // 10
    total, energy = sum(slope[:width]), []
    for i in range(width, len(slope)):
        total += slope[i] - slope[i - width]
        energy.append(total)
    beats: list[float] = []
    for i in range(1, len(energy) - 1):
        if energy[i - 1] <= energy[i] > energy[i + 1] and (not beats or i / rate_hz - beats[-1] > 0.3):
            highest = max(energy[max(0, i - 2 * rate_hz) : i + 2 * rate_hz])
            if energy[i] > 0.35 * highest:
                beats.append(i / rate_hz)
    return beats


def valid(out: list[Answer]) -> list[tuple[float, int]]:
    """(t_s, rate) of the valid answers."""
    return [(a[0], a[2]) for a in out if a[4] == PPG_VALID and a[2] is not None]


def test_icu_patient_against_the_ecg(data_dir: Path) -> None:
    path = data_dir / "ppg-ecg-bidmc01/bidmc_01_pleth_ecg_125hz.csv.gz"
    with gzip.open(path, "rt") as f:
        rows = list(csv.reader(f))[1:]
    beats = beats_of_ecg([float(row[1]) for row in rows], 125)
    out = answers(two_channels([0.02 * x for x in resampled([float(row[0]) for row in rows], 125)]))
    errors = []
    for t_s, rate in valid(out):
        inside = [beat for beat in beats if t_s - 4 <= beat <= t_s]
        if len(inside) >= 3:
            errors.append(abs(rate - 60 * (len(inside) - 1) / (inside[-1] - inside[0])))
    assert len(errors) >= 0.85 * len(out)
    assert sum(errors) / len(errors) <= 1.0
    assert sum(e <= 5 for e in errors) >= 0.99 * len(errors)


def beats_of_ppg(wave: Sequence[float]) -> list[float]:
    """Times (s) of the pulses of a clean 25 Hz recording: highest point of each stretch above the local middle."""
    found, best = [], None
    for i in range(len(wave)):
        near = wave[max(0, i - 18) : i + 19]
        if wave[i] > sum(near) / len(near) + 0.4 * (max(near) - sum(near) / len(near)):
            if best is None or wave[i] > wave[best]:
                best = i
        elif best is not None:
            found.append(best / 25)
            best = None
    return found


@pytest.mark.parametrize(("name", "rate_hz", "column", "share"), [
    ("data.csv", 100.0, 0, 0.6), ("data3.csv.gz", 100.0, 1, 0.6),
])  # fmt: skip
def test_finger_recordings_against_their_own_peaks(
    data_dir: Path, name: str, rate_hz: float, column: int, share: float
) -> None:
    path = data_dir / "ppg-heartpy" / name
    with gzip.open(path, "rt") if name.endswith("gz") else path.open() as f:
        raw = [row[column] for row in csv.reader(f)]
    values = [float(value) for value in raw if value.replace(".", "", 1).isdigit()]
    wave = resampled(values, rate_hz)
    out = answers(two_channels([0.05 * x / 1024 for x in wave]))
    beats = beats_of_ppg(wave)
    errors = []
    for t_s, rate in valid(out):
        inside = [beat for beat in beats if t_s - 5 <= beat <= t_s]
        gaps = sorted(b - a for a, b in itertools.pairwise(inside))
        if len(gaps) >= 3:
            errors.append(abs(rate - 60 / gaps[len(gaps) // 2]))
    assert len(errors) >= share * len(out)
    assert sum(e <= 8 for e in errors) >= 0.9 * len(errors), sorted(errors)[-20:]
