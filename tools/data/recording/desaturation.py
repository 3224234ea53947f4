"""Convert induced desaturations (1 Hz, up to four clinical oximeters on one person) to a recording.

SpO2 and pulse are the median of the oximeters with a value, the perfusion index is their mean. There was no
thermometer, so temp_c stays blank or is a constant that the caller assumes; the file then says so.
"""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median

from tools.data.recording.reader import NO_PULSE_RATE, ROWS_MAX
from tools.data.recording.spacing import HOLE_ROWS
from tools.data.recording.writer import Row
from tools.data.table.moments import Moments, UnnamedTimes, time_column
from tools.data.table.problems import TableError, quoted
from tools.data.table.reader import Table
from tools.data.table.text_lines import opened

STEP_S = (0.4, 2.1)  # between rows of a session of 1 Hz
_KINDS = {"spo2": (50.0, 100.0), "pulse": (20.0, 300.0), "pi": (0.0, 20.0)}


class Desaturation:
    """Rows of one session; TableError names each bad line.

    `skipped` counts the blank ones, without a measurement, and `holes` the places where rows are missing.
    """

    def __init__(self, path: Path) -> None:
        self.skipped = self.holes = 0
        self._rows: list[tuple[float, float | None, float | None, float | None]] = []
        with opened(path) as raw:
            self._table = Table(raw, path)
            self._columns = {kind: self._of_kind(kind) for kind in _KINDS}
            if not self._columns["spo2"] or not self._columns["pulse"]:
                there = ", ".join(quoted(name) for name in self._table.header[:10])
                raise TableError(f"{path}: no columns 'SpO2 …' and 'Pulse …'; there are: {there}")
            self._read()
            self._table.problems.check()
        distances = [after[0] - before[0] for before, after in pairwise(self._rows)]
        step_s = median(distances) if distances else 1.0
        if not STEP_S[0] <= step_s <= STEP_S[1]:
            raise TableError(
                f"{path}: rows {step_s:g} s apart, and a session has one a second. Name the unit of the times"
                " (t_s, t_ms, t_min), or convert the file to one row a second"
            )
        self._hole_s = HOLE_ROWS * step_s
        self.holes = sum(distance > self._hole_s for distance in distances)

    def rows(self, temp_c: float | None) -> Iterator[Row]:
        """Yield the recording's rows; t_s starts at 0. Without a column of times one row is one second.

        Where rows are missing a blank one ends the values of the row before.
        """
        start_s = last_s = self._rows[0][0] if self._rows else 0.0
        for t_s, spo2, pulse, pi in self._rows:
            if t_s - last_s > self._hole_s:
                yield last_s + self._hole_s / HOLE_ROWS - start_s, None, None, None, None
            last_s = t_s
            yield t_s - start_s, temp_c, spo2, pulse, pi

    def _of_kind(self, kind: str) -> dict[str, int]:
        """{oximeter: place} of the columns of one kind."""
        names = enumerate(self._table.names)
        return {name[len(kind) + 1 :]: at for at, name in names if f"{name}_".startswith(f"{kind}_")}

    def _read(self) -> None:
        table = self._table
        time_place = time_column(table)
        moments = None if time_place is None else Moments(table.header[time_place], table.numbers)
        unnamed = UnnamedTimes(table, {at for kind in self._columns.values() for at in kind.values()})
        for number, cells in enumerate(table.rows()):
            if number >= ROWS_MAX:
                raise TableError(f"{table.name}: more than {ROWS_MAX} rows. Cut it into parts")
            spo2, pulse, pi = self._measured(cells)
            is_blank = not spo2 and not pulse
            self.skipped += is_blank
            t_s: float | None = float(number)
            if moments is None or time_place is None:
                unnamed.watch(cells)
            elif is_blank:
                t_s = self._time_of_blank(moments, cells[time_place])
            else:
                t_s = self._time(moments, cells[time_place])
            # The recording begins with its first value.
            if t_s is None or (is_blank and not self._rows):
                continue
            means = (
                median(spo2) if spo2 else None,
                median(pulse) if pulse else None,
                fmean(pi) if pi and not is_blank else None,
            )
            self._rows.append((t_s, *means))
        if moments is None and self._rows:
            unnamed.end(self._rows[-1][0])

    def _time(self, moments: Moments, cell: str) -> float | None:
        place = f"line {self._table.line}, time"
        try:
            if not cell:
                raise ValueError("is missing")
            t_s = moments.read(cell)
            if moments.unit_s is None and moments.kind == "number":
                raise ValueError(f"{quoted(moments.name)} does not name its unit. Call it t_s or t_ms")
        except ValueError as error:
            self._table.problems.add(f"{place}: {error}")
            return None
        if self._rows and t_s <= self._rows[-1][0]:
            self._table.problems.add(f"{place}: {moments.backwards(cell)}")
            return None
        return t_s

    def _time_of_blank(self, moments: Moments, cell: str) -> float | None:
        """The time of a row without values; None for a remark of the device, whose time is none."""
        try:
            t_s = moments.read(cell)
        except ValueError:
            return None
        return t_s if self._rows and t_s > self._rows[-1][0] else None

    def _measured(self, cells: list[str]) -> tuple[list[float], list[float], list[float]]:
        """Values of SpO2, pulse and perfusion index. An oximeter whose SpO2 is a number outside has no pulse."""
        read = {
            kind: {oximeter: self._number(cells[place]) for oximeter, place in places.items()}
            for kind, places in self._columns.items()
        }
        found = {
            kind: {
                key: value for key, value in read[kind].items() if value is not None and low <= value <= high
            }
            for kind, (low, high) in _KINDS.items()
        }
        for oximeter, spo2 in read["spo2"].items():
            no_value = spo2 is not None and oximeter not in found["spo2"]
            if no_value or found["pulse"].get(oximeter) == NO_PULSE_RATE:
                found["pulse"].pop(oximeter, None)
                found["pi"].pop(oximeter, None)
        spo2s, pulses, pis = (list(found[kind].values()) for kind in _KINDS)
        return spo2s, pulses, pis

    def _number(self, cell: str) -> float | None:
        """None for words, as a device writes them where it has no value."""
        if not any(sign.isdigit() for sign in cell):
            return None
        try:
            return self._table.numbers.read(cell)
        except ValueError as error:
            self._table.problems.add(f"line {self._table.line}: {error}")
            return None
