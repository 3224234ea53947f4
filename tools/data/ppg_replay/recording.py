"""Read samples from a table, as a stream; what is not a number is refused, never guessed.

A column of times is compared with the stated rate: rows that are missing are lost samples, rows that come too early,
twice or backwards are refused.
"""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import BinaryIO

from tools.data.ppg_replay.stamps import BackwardsError, Stamps, unit_of
from tools.data.table.header import INFRARED, RED
from tools.data.table.moments import RISES_ROWS, Moments, UnnamedTimes, time_column
from tools.data.table.numbers import MISSING_WORDS
from tools.data.table.problems import TableError
from tools.data.table.reader import Table

FULL_SCALE = 262143  # of an 18-bit converter
UNIT_ROWS = 25  # after so many samples the unit of the light is judged
VOLTS_MAX = 263.0  # fractions below are volts, shares of full scale, or counts with a point between thousands
WATCH_S = 2.0  # without a column of times, so long is watched for what shows a wrong rate
REPEATED_SHARE = 0.4  # more rows like the row before mean that rows were written twice
FINE_SHARE = (
    0.04  # the same where a change is mostly so many times the smallest one: there chance repeats no row
)
FINE = 20
CHANGES_MAX = 2000
WORN_COUNTS = 20_000  # darker samples may be alike
FLAT_ROWS = 10  # so many alike are no light of a pulse
NEGATIVE_SHARE = 0.1  # more negative values mean that the steady part of the light was removed
Sample = tuple[float, float] | None  # (red, infrared) in counts; None: lost


class Recording:
    """The samples of one file, in order, to be iterated once; TableError names the line that is wrong.

    `count` samples were read so far, `lost` of them blank, NaN, negative or missing by their times. `outside` values
    were outside 0..FULL_SCALE: a negative one is a lost sample, one above counts as full scale, as a converter does.
    With `ir_only` the red of each sample is 0. `start_s` is the first time stamp, None without;
    `simulated` is what capture's column of that name says.
    """

    def __init__(self, raw: BinaryIO, name: str | Path, rate_hz: Fraction, ir_only: bool = False) -> None:
        self._table = table = Table(raw, name)
        self._rate_hz = rate_hz
        self.count = self.lost = self.outside = 0
        self._negative = 0
        self._highest, self._fractions = 0.0, False
        self.start_s: float | None = None
        infrared = table.find(*INFRARED, needed=False)
        red = None if ir_only else table.find(*RED, needed=False)
        if red is None and not ir_only:
            enough = " (with --ir-only, ir is enough)" if infrared is not None else ""
            raise TableError(f"{name}: {table.missing('red')}{enough}")
        if infrared is None:
            raise TableError(f"{name}: {table.missing('ir')}")
        self._places = {"ir": infrared} if red is None else {"red": red, "ir": infrared}
        self._time_place = time_column(table)
        self.is_timed = self._time_place is not None
        self._simulated_place = table.find("simulated", needed=False)
        self.simulated = False
        used = {place for place in (red, infrared, self._simulated_place) if place is not None}
        self._unnamed = UnnamedTimes(table, used)
        # longer than a beat: a second channel of light rises in fewer rows
        self._watched = max(RISES_ROWS, round(WATCH_S * rate_hz))
        self._last: Sample = None
        self._compared = self._repeated = self._pairs = self._alike = 0
        self._changes: list[float] = []  # of the infrared from row to row, the first ones
        self._stamps = Stamps(rate_hz)
        self._moments: Moments | None = None
        if self._time_place is not None:
            self._moments = Moments(table.header[self._time_place], table.numbers)

    @property
    def kind(self) -> str:
        """How the times are written: "number", "clock", "date", "date with zone"; "" without a column of times."""
        return self._moments.kind if self._moments else ""

    def __iter__(self) -> Iterator[Sample]:
        empty = 0  # empty lines so far; at the end of the file they are not samples
        single = len(self._table.header) == 1
        for cells in self._table.rows(blank=True):
            self._table.problems.check_first()
            if (self.is_timed and not any(cells)) or not (cells or single):
                empty += 1
                continue
            if self._simulated_place is not None and cells:
                self.simulated = self.simulated or cells[self._simulated_place] not in ("", "0")
            if not self.is_timed and cells:
                self._unnamed.watch(cells, self._watched)
            # The times tell how long it was, where there are any.
            for _ in range(self._lost_before(cells) if self.is_timed else empty):
                yield self._lose()
            empty = 0
            values = [self._value(name, cells[at] if cells else "") for name, at in self._places.items()]
            self.count += 1
            if None in values:
                self.count -= 1
                yield self._lose()
            else:
                sample = (0.0 if len(values) == 1 else values[0], values[-1])
                self._compare(sample)  # type: ignore[arg-type]
                yield sample  # type: ignore[misc]
            if self.count == UNIT_ROWS:
                self._check_unit()
            if self.count == self._watched:
                self._check_repeated()
        self._table.problems.check_first()
        if not self.count:
            raise TableError(f"{self._table.name}: no samples after the header")
        self._check_unit()
        self._check_sign()
        self._check_repeated()
        if not self.is_timed:
            self._unnamed.end(self.count / float(self._rate_hz))

    def _compare(self, sample: tuple[float, float]) -> None:
        is_alike = sample == self._last
        self._alike = self._alike + 1 if is_alike else 0
        if WORN_COUNTS <= sample[1] < FULL_SCALE and self._alike < FLAT_ROWS:
            self._compared += 1
            self._repeated += is_alike
            # Three alike are a flat stretch.
            self._pairs += (self._alike == 1) - (self._alike == 2)
            if self._last is not None and not is_alike and len(self._changes) < CHANGES_MAX:
                self._changes.append(abs(sample[1] - self._last[1]))
        self._last = sample

    def _check_repeated(self) -> None:
        if self.is_timed or self._compared < UNIT_ROWS:
            return
        changes = [change for change in self._changes if change]
        is_fine = len(self._places) == 2 and changes and median(changes) >= FINE * min(changes)
        is_doubled = is_fine and self._pairs > max(2, FINE_SHARE * self._compared)
        if is_doubled or self._repeated > REPEATED_SHARE * self._compared:
            raise self._refused(
                f"{self._repeated} of {self._compared} rows repeat the row before: rows were written twice. Keep each"
                " sample once, or add the column of times t_s"
            )

    def _lose(self) -> None:
        self.count += 1
        self.lost += 1

    def _lost_before(self, cells: list[str]) -> int:
        assert self._moments is not None and self._time_place is not None
        try:
            cell = cells[self._time_place]
            if not cell:
                raise ValueError("the time is missing")
            t_s = self._moments.read(cell)
            if self.start_s is None:
                self.start_s = t_s
            elif self._moments.unit_s is None and self._moments.kind == "number":
                unit_s = unit_of(t_s - self.start_s, self._rate_hz)
                self._stamps = Stamps(self._rate_hz)
                self._stamps.lost_before(self.start_s * unit_s, self._moments.resolution_s * unit_s)
                self.start_s *= unit_s
                self._moments.unit_s = unit_s
                self._moments.resolution_s *= unit_s
                t_s *= unit_s
            return self._stamps.lost_before(t_s, self._moments.resolution_s)
        except BackwardsError:
            raise self._refused(self._moments.backwards(cell)) from None
        except ValueError as error:
            raise self._refused(str(error)) from None

    def _value(self, name: str, cell: str) -> float | None:
        if cell == "" or cell.lower() in MISSING_WORDS:
            return None
        try:
            value = self._table.numbers.read(cell)
        except ValueError as error:
            raise self._refused(f"column {name}: {error}") from None
        if 0 <= value <= FULL_SCALE:
            self._highest = max(self._highest, value)
            self._fractions = self._fractions or value % 1 > 0
            return value
        self.outside += 1
        if value < 0:
            self._negative += 1
            return None
        self._highest = FULL_SCALE
        return float(FULL_SCALE)

    def _check_unit(self) -> None:
        if self._fractions and self._highest < VOLTS_MAX:
            raise self._refused(
                f"the highest value is {self._highest:g}, with decimals: volts, or counts with a point between"
                f" thousands. Give counts of the converter, 0 to {FULL_SCALE}"
            )

    def _check_sign(self) -> None:
        if self._negative > NEGATIVE_SHARE * self.count * len(self._places):
            raise self._refused(
                f"{self._negative} negative values so far: the steady part of the light was removed. Give the counts of"
                " the converter"
            )

    def _refused(self, why: str) -> TableError:
        return TableError(f"{self._table.name}: line {self._table.line}: {why}")
