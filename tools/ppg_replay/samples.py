"""Read a recording of raw light, `red,ir` or `ir` in counts, line by line; a blank or NaN is a sample that was lost."""

import csv
import math
from collections.abc import Iterator
from typing import TextIO

FULL_SCALE = 262143  # of the sensor's 18-bit converter

Sample = tuple[float, ...] | None


class RecordingError(Exception):
    """The recording cannot be read; the message names the line and what would be right."""


class Samples:
    """Iterate once. `lost` and `clipped` count as the lines go by."""

    def __init__(self, file: TextIO, columns: tuple[str, ...]) -> None:
        """RecordingError when the header lacks one of `columns`; others are left aside."""
        self._rows = csv.reader(file)
        header = [name.strip().lower() for name in next(self._rows, [])]
        missing = [name for name in columns if name not in header]
        if missing:
            found = ", ".join(header) or "an empty file"
            raise RecordingError(
                f"the first line must name the column{'s' * (len(columns) > 1)} {','.join(columns)}; found: {found}"
            )
        self._places = [header.index(name) for name in columns]
        self.lost = 0
        self.clipped = 0

    def __iter__(self) -> Iterator[Sample]:
        """One sample a line: its counts, within what the converter can say, or None."""
        try:
            for row in self._rows:
                if row:
                    yield self._sample(row)
        except csv.Error as error:
            raise RecordingError(f"line {self._rows.line_num}: {error}") from None
        except UnicodeDecodeError:
            raise RecordingError(f"after line {self._rows.line_num}: not text") from None

    def _sample(self, row: list[str]) -> Sample:
        counts = []
        for place in self._places:
            text = row[place].strip() if place < len(row) else ""
            try:
                value = float(text) if text else math.nan
            except ValueError:
                raise RecordingError(f"line {self._rows.line_num}: {text[:40]!r} is not a number") from None
            if math.isnan(value):
                self.lost += 1
                return None
            if not 0 <= value <= FULL_SCALE:
                self.clipped += 1
                value = min(max(value, 0.0), float(FULL_SCALE))
            counts.append(value)
        return tuple(counts)
