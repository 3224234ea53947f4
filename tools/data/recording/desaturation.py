"""Convert induced desaturations (1 Hz, up to four clinical oximeters on one person) to a recording.

SpO2 and pulse are the median of the oximeters with a value, the perfusion index is their mean. There was no
thermometer, so temp_c stays blank or is a constant that the caller assumes; the file then says so.
"""

import csv
import math
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean, median

from tools.data.recording.icu import ConversionError
from tools.data.recording.writer import Row

_DAY_S = 86400


class Desaturation:
    """Rows of one session; `skipped` counts lines without a measurement."""

    def __init__(self, path: Path) -> None:
        self.skipped = 0
        self._path = path
        with path.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.DictReader(text)
            names = reader.fieldnames or []
            self._columns = {
                kind: [name for name in names if name.startswith(kind)] for kind in ("SpO2 ", "Pulse ", "PI ")
            }
            if not self._columns["SpO2 "] or not self._columns["Pulse "]:
                raise ConversionError(f"{path}: no columns 'SpO2 …' and 'Pulse …' in {names}")
            self._rows = list(reader)

    def rows(self, temp_c: float | None) -> Iterator[Row]:
        """Yield the recording's rows; t_s starts at 0. Without a Time column one row is one second."""
        start: int | None = None
        last = -1.0
        for number, row in enumerate(self._rows):
            spo2 = self._numbers(row, "SpO2 ", 50, 100)
            pulse = self._numbers(row, "Pulse ", 20, 300)
            if not spo2 and not pulse:
                self.skipped += 1
                continue
            second = _second_of_day(row["Time"]) if "Time" in row else number
            if second is None:
                self.skipped += 1
                continue
            start = second if start is None else start
            t_s = float((second - start) % _DAY_S)
            if t_s <= last:
                raise ConversionError(f"{self._path}: row {number + 2}: time does not go forward")
            last = t_s
            pi = self._numbers(row, "PI ", 0, 20)
            means = (
                median(spo2) if spo2 else None,
                median(pulse) if pulse else None,
                fmean(pi) if pi else None,
            )
            yield t_s, temp_c, *means

    def _numbers(self, row: dict[str, str], kind: str, low: float, high: float) -> list[float]:
        found = []
        for name in self._columns[kind]:
            try:
                value = float(row[name])
            except (ValueError, TypeError):
                continue
            if math.isfinite(value) and low <= value <= high:
                found.append(value)
        return found


def _second_of_day(clock: str) -> int | None:
    parts = clock.split(":")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        return None
    return int(parts[0]) * 3600 + int(parts[1]) * 60 + int(parts[2])
