"""Heart rate on real recordings (CRS_DATA_DIR), against the ECG or an independent look at the whole recording.

They hold one optical channel; the second is made from it, so nothing is said here about SpO2.
"""

import csv
import gzip
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from crs_core.units import PPG_VALID
from crs_device.signal.ppg import Ppg

from tests.device.signal.score import Answer, answers
from tools.lab.bench.ppg_recordings import Recording, bidmc, mixedsignals, resampled, two_channels


def valid(out: list[Answer]) -> list[tuple[float, int]]:
    """(t_s, rate) of the valid answers."""
    return [(a[0], a[2]) for a in out if a[4] == PPG_VALID and a[2] is not None]


@pytest.mark.parametrize(
    ("load", "share", "mae_bpm", "near"), [(bidmc, 0.85, 1.0, 0.99), (mixedsignals, 0.7, 2.0, 0.95)]
)
@pytest.mark.parametrize("ir_only", [False, True])
def test_heart_rate_against_the_ecg(
    data_dir: Path,
    load: Callable[[Path], Recording],
    share: float,
    mae_bpm: float,
    near: float,
    ir_only: bool,
) -> None:
    recording = load(data_dir)
    out = answers(recording.samples, Ppg(ir_only=ir_only))
    found = valid(out)
    errors = [abs(rate - truth) for t_s, rate in found if (truth := recording.rate_bpm(t_s)) is not None]
    assert len(errors) >= share * len(out) and sum(errors) / len(errors) <= mae_bpm
    assert sum(e <= 5 for e in errors) >= near * len(errors)


def test_the_reference_beats_are_those_of_a_heart(data_dir: Path) -> None:
    for recording, median_s in ((bidmc(data_dir), 0.656), (mixedsignals(data_dir), 0.576)):
        gaps = sorted(b - a for a, b in itertools.pairwise(recording.beats_s))
        assert gaps[len(gaps) // 2] == pytest.approx(median_s, abs=0.02)
        assert sum(0.8 < gap / median_s < 1.25 for gap in gaps) >= 0.97 * len(gaps)


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
