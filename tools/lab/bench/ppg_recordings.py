"""Two real recordings of a pulse wave with an ECG, as counts of the sensor, and the beats of that ECG.

They have one optical channel. Infrared is its wave at a sensor's level and with a sensor's noise; red is computed from
it, so the recordings cannot test SpO2. The files are in CRS_DATA_DIR, by default the data folder beside the project.
"""

import csv
import gzip
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import miniaudio

ROOT = Path(__file__).resolve().parents[3]
OUT_HZ = 25
_NOISE_COUNTS = 7
_MISSING = -32768  # WFDB format 516 marks a lost sample with this


@dataclass(frozen=True)
class Recording:
    """`samples` at 25 Hz as (red, infrared) counts; `beats_s` the times of the QRS complexes."""

    name: str
    samples: list[tuple[int, int]]
    beats_s: list[float]

    def rate_bpm(self, until_s: float, window_s: float = 4.0) -> float | None:
        """Mean heart rate of the ECG over the window that ends at `until_s`; None with fewer than three beats."""
        inside = [beat for beat in self.beats_s if until_s - window_s <= beat <= until_s]
        return 60 * (len(inside) - 1) / (inside[-1] - inside[0]) if len(inside) >= 3 else None


def data_dir() -> Path | None:
    """Folder of the recordings, or None."""
    named = os.environ.get("CRS_DATA_DIR")
    folder = Path(named) if named else ROOT.parent / "shared/data"
    return folder if folder.is_dir() else None


def two_channels(wave: Sequence[float], seed: int = 1) -> list[tuple[int, int]]:
    """(red, infrared) counts of an absorption wave given as a fraction of the level, with the sensor's noise."""
    chance = random.Random(seed)
    clean = [(100000 * (1 - 0.5 * x), 120000 * (1 - x)) for x in wave]
    noise = (chance.gauss(0, _NOISE_COUNTS) for _ in range(2 * len(clean)))
    return [(round(red + next(noise)), round(infrared + next(noise))) for red, infrared in clean]


def resampled(values: Sequence[float], rate_hz: float) -> list[float]:
    """Means over 40 ms."""
    step = rate_hz / OUT_HZ
    out = []
    for i in range(int(len(values) / step)):
        part = values[int(i * step) : int((i + 1) * step)]
        out.append(sum(part) / len(part))
    return out


def beats_of_ecg(ecg: Sequence[float], rate_hz: float) -> list[float]:
    """Times (s) of the QRS complexes: steepest places, at least 0.3 s apart, a third of the local highest.

    Squared slope over 0.1 s after Pan and Tompkins, IEEE Trans Biomed Eng 1985;32:230, with a threshold that follows.
    """
    slope = [(ecg[i + 2] - ecg[i - 2]) ** 2 for i in range(2, len(ecg) - 2)]
    width = int(rate_hz / 10)
    near = int(2 * rate_hz)
    total, energy = sum(slope[:width]), []
    for i in range(width, len(slope)):
        total += slope[i] - slope[i - width]
        energy.append(total)
    beats: list[float] = []
    for i in range(1, len(energy) - 1):
        if energy[i - 1] <= energy[i] > energy[i + 1] and (not beats or i / rate_hz - beats[-1] > 0.3):
            highest = max(energy[max(0, i - near) : i + near])
            if energy[i] > 0.35 * highest:
                beats.append(i / rate_hz)
    return beats


def bidmc(folder: Path) -> Recording:
    """8 minutes of an intensive-care patient: BIDMC PPG and Respiration, record 01 (PhysioNet)."""
    with gzip.open(folder / "ppg-ecg-bidmc01/bidmc_01_pleth_ecg_125hz.csv.gz", "rt") as f:
        rows = list(csv.reader(f))[1:]
    wave = resampled([float(row[0]) for row in rows], 125)
    beats = beats_of_ecg([float(row[1]) for row in rows], 125)
    return Recording("ppg-ecg-bidmc01", two_channels([0.02 * x for x in wave]), beats)


def mixedsignals(folder: Path) -> Recording:
    """230 s, heart rate about 104: wfdb-python's sample record, WFDB format 516 (each .dat file is one FLAC stream)."""
    place = folder / "ppg-ecg-wfdb"
    head, *signals = (place / "mixedsignals.hea").read_text().splitlines()
    frames_hz = float(head.split()[2].split("/")[0])

    def channel(description: str) -> tuple[list[float], float]:
        row = next(i for i, line in enumerate(signals) if line.split()[-1] == description)
        file, kind = signals[row].split()[:2]
        same = [line for line in signals if line.startswith(file)]
        decoded = miniaudio.flac_read_s16((place / file).read_bytes())
        values, last = [], 0
        for value in decoded.samples[same.index(signals[row]) :: decoded.nchannels]:
            last = value if value != _MISSING else last
            values.append(float(last))
        return values, frames_hz * int(kind.partition("x")[2] or 1)

    ecg, ecg_hz = channel("II")
    pleth, pleth_hz = channel("Pleth")
    wave = resampled([value / 4096 for value in pleth], pleth_hz)
    return Recording("ppg-ecg-wfdb", two_channels([0.02 * x for x in wave]), beats_of_ecg(ecg, ecg_hz))


def with_ecg(folder: Path) -> list[Recording]:
    return [bidmc(folder), mixedsignals(folder)]
