"""Readings for the codec bench: a simulated week, and the real recordings of induced desaturation when present.

The recordings have SpO2, pulse and perfusion index but no temperature; a slowly drifting one is added.
"""

import csv
import itertools
import os
import random
from collections.abc import Iterator
from pathlib import Path

from crs_core.units import Reading, make_status

STATUS = make_status(1, 0, 0, 1)
STEP_MS = 10_000


def data_dir() -> Path:
    """CRS_DATA_DIR, else the data folder beside the checkout."""
    return Path(os.environ.get("CRS_DATA_DIR", Path(__file__).resolve().parents[4] / "shared" / "data"))


def _temperatures(rng: random.Random) -> Iterator[int]:
    cc = 3700.0
    while True:
        cc = min(max(cc + rng.gauss(0, 1.2), 3550), 4050)
        yield round(cc)


def _times(step_ms: int = STEP_MS) -> Iterator[int]:
    """The wearable stamps a reading with the whole second of its step."""
    return itertools.count(60_000, step_ms)


def made_week() -> list[Reading]:
    """60 480 readings of a quiet adult: values wander like a sensor's; twice an hour they are missing for a minute."""
    rng = random.Random(1)
    temperatures, times = _temperatures(rng), _times()
    rows, spo2, hr, pi = [], 970.0, 78.0, 150.0
    for n in range(7 * 8640):
        spo2 = min(max(spo2 + rng.gauss(0, 2), 900), 1000)
        hr = min(max(hr + rng.gauss(0, 1), 50), 130)
        pi = min(max(pi + rng.gauss(0, 6), 20), 900)
        lost = n % 180 < 6
        values = (None, None, None) if lost else (round(spo2), round(hr), round(pi))
        rows.append(Reading(next(times), next(temperatures), *values, STATUS))
    return rows


def recorded(step_s: int) -> list[Reading]:
    """The six desaturation recordings, one after the other, a reading every `step_s`; empty when they are missing."""
    scales = (("SpO2 1", 10), ("Pulse 1", 1), ("PI 1", 100))
    rng = random.Random(2)
    temperatures, times = _temperatures(rng), _times(step_s * 1000)
    rows = []
    for path in sorted((data_dir() / "spo2-desaturation").glob("gt_*.csv")):
        with path.open() as file:
            for line in list(csv.DictReader(file))[::step_s]:
                values = [_scaled(line, key, scale) for key, scale in scales]
                rows.append(Reading(next(times), next(temperatures), *values, STATUS))
    return rows


def _scaled(line: dict[str, str], key: str, scale: int) -> int | None:
    try:
        return round(float(line[key]) * scale)
    except ValueError:
        return None
