"""Read samples from a CSV file with a header, as a stream; text that is not a number is refused, never guessed."""

import csv
from collections.abc import Iterator
from typing import TextIO

FULL_SCALE = 262143  # of an 18-bit converter
Sample = tuple[float, float] | None  # (red, infrared) in counts; None: lost

_MISSING = {"", "nan", "na", "n/a", "null", "none"}


class RecordingError(ValueError):
    """The file has a wrong column or value; the text names the place and is one line."""


class Recording:
    """The samples of one file, in order, to be iterated once.

    `count` samples were read so far, `lost` of them blank or NaN. `clipped` values were outside 0..FULL_SCALE and were
    set to its nearer end, as a converter does. With `ir_only` the red of each sample is 0.
    """

    def __init__(self, stream: TextIO, ir_only: bool = False) -> None:
        self._rows = csv.reader(stream)
        self.count = self.lost = self.clipped = 0
        header = self._header()
        self._width = len(header)
        self._names = ("ir",) if ir_only else ("red", "ir")
        for name in self._names:
            if header.count(name) != 1:
                raise RecordingError(_no_column(name, header))
        self._places = [header.index(name) for name in self._names]

    def _header(self) -> list[str]:
        row = next(self._checked(), None)
        if row is None:
            raise RecordingError("the file is empty")
        return [name.strip().lower() for name in row]

    def _checked(self) -> Iterator[list[str]]:
        try:
            yield from self._rows
        except csv.Error as error:
            raise RecordingError(f"line {self._rows.line_num}: {error}") from error

    def __iter__(self) -> Iterator[Sample]:
        empty = 0  # empty lines so far; at the end of the file they are not samples
        for cells in self._checked():
            if not cells and self._width > 1:
                empty += 1
                continue
            row = cells or [""]  # one column: an empty line is a blank value
            for _ in range(empty):
                yield self._lose()
            empty = 0
            if len(row) != self._width:
                why = f"{len(row)} columns, but the header has {self._width}"
                raise RecordingError(f"line {self._rows.line_num}: {why}")
            named = zip(self._places, self._names, strict=True)
            values = [self._value(row[place], name) for place, name in named]
            if None in values:
                yield self._lose()
                continue
            self.count += 1
            yield (0.0 if len(values) == 1 else values[0], values[-1])  # type: ignore[misc]
        if not self.count:
            raise RecordingError("no samples after the header")

    def _lose(self) -> None:
        self.count += 1
        self.lost += 1

    def _value(self, text: str, name: str) -> float | None:
        try:
            value = float(text)
        except ValueError:
            value = None
        if value is None or "_" in text:  # only Python reads 1_000 as a number
            if text.strip().lower() in _MISSING:
                return None
            raise RecordingError(f"line {self._rows.line_num}: column {name}: {text[:40]!r} is not a number")
        if 0 <= value <= FULL_SCALE:
            return value
        if value != value:  # NaN
            return None
        self.clipped += 1
        return 0.0 if value < 0 else float(FULL_SCALE)


def _no_column(name: str, header: list[str]) -> str:
    if header.count(name) > 1:
        return f"{header.count(name)} columns are called {name!r}"
    there = ", ".join(header)
    if name == "red" and "ir" in header:
        return f"no column 'red'; there are: {there} (with --ir-only, ir is enough)"
    if all(cell.replace(".", "", 1).lstrip("-").isdigit() for cell in header):
        return f"no column {name!r}; the first line must name the columns, but it is: {there}"
    return f"no column {name!r}; there are: {there}"
