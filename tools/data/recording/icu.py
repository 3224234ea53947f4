"""Convert charted vital signs of one intensive-care stay (long form: rec,minute,name,value) to a recording.

Values are charted about hourly. Two charted values of one sign up to 4 h apart are joined by a straight line, a row per
minute; in a longer gap the sign stays blank. The values between charted ones are interpolated; the file says so.
"""

import csv
import gzip
import io
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

from tools.data.recording.writer import Row

JOIN_MIN = 240
STEP_S = 60
_SIGNS = {"Temp": (25.0, 45.0), "SaO2": (50.0, 100.0), "HR": (20.0, 300.0)}


class ConversionError(ValueError):
    """The source lacks something that was asked for; the text says what."""


class Stay:
    """Charted signs of one stay by minute. `dropped` counts charted values outside what a body can have."""

    def __init__(self) -> None:
        self.signs: dict[str, dict[float, float]] = {name: {} for name in _SIGNS}
        self.dropped = 0

    def add(self, minute: float, name: str, value: float) -> None:
        """Take one charted value; a later one for the same minute replaces it."""
        low, high = _SIGNS[name]
        if low <= value <= high:
            self.signs[name][minute] = value
        else:
            self.dropped += 1

    @property
    def last_min(self) -> float:
        """Minute of the last charted value."""
        return max((minute for sign in self.signs.values() for minute in sign), default=0.0)

    def at(self, name: str, minute: float) -> float | None:
        """Return the sign at a minute: charted, or interpolated between neighbours at most JOIN_MIN apart."""
        sign = self.signs[name]
        times = sorted(sign)
        i = bisect_right(times, minute)
        if i and times[i - 1] == minute:
            return sign[minute]
        if i == 0 or i == len(times):
            return None
        before, after = times[i - 1], times[i]
        if after - before > JOIN_MIN:
            return None
        share = (minute - before) / (after - before)
        return sign[before] + (sign[after] - sign[before]) * share


def read_stay(path: Path, record: str) -> Stay:
    """Return one stay of a .csv or .csv.gz; ConversionError when the file does not contain it."""
    stay, found = Stay(), False
    with path.open("rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        with io.TextIOWrapper(gzip.GzipFile(fileobj=raw) if zipped else raw, encoding="utf-8") as text:
            reader = csv.DictReader(text)
            if reader.fieldnames is None or set(reader.fieldnames) != {"rec", "minute", "name", "value"}:
                why = f"the header must be rec,minute,name,value, not {reader.fieldnames}"
                raise ConversionError(f"{path}: {why}")
            for row in reader:
                if row["rec"] != record:
                    continue
                found = True
                if row["name"] not in _SIGNS:
                    continue
                try:
                    stay.add(float(row["minute"]), row["name"], float(row["value"]))
                except ValueError as error:
                    raise ConversionError(f"{path}: line {reader.line_num}: {error}") from error
    if not found:
        raise ConversionError(f"{path}: no stay {record}")
    return stay


def rows(stay: Stay, from_min: float, to_min: float | None) -> Iterator[Row]:
    """Yield a row per minute from `from_min` to `to_min` (the last charted value when None); t_s starts at 0."""
    end = stay.last_min if to_min is None else to_min
    if end <= from_min:
        raise ConversionError(f"no charted value between minute {from_min:g} and {end:g}")
    for second in range(0, int((end - from_min) * 60) + 1, STEP_S):
        minute = from_min + second / 60
        yield second, stay.at("Temp", minute), stay.at("SaO2", minute), stay.at("HR", minute), None
