"""Reads and checks a recording: `t_s,temp_c,spo2_pct,hr_bpm[,pi_pct]`, one row per moment.

Blank temp_c: thermometer off. Blank spo2_pct and hr_bpm: optical probe off. All blank: strap off. pi_pct 0: worn
without a pulse; blank or without the column: a warm finger. Lines that start with # are comments; `# interpolated`
marks a file whose values were interpolated. How the table may be written: tools/data/table.
"""

from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from statistics import median

from tools.data.recording.spacing import HOLE_ROWS, holes, wrong_unit
from tools.data.table import header
from tools.data.table.moments import Moments, time_column
from tools.data.table.problems import Problems, TableError, counted, quoted
from tools.data.table.reader import Table
from tools.data.table.text_lines import opened
from tools.data.track import DEFAULT_PI_PCT, Point, Track

JOIN_S = 300.0  # rows further apart are not joined
HOLD_S = 60.0  # so long the earlier row's values then still apply
ROWS_MAX = 300_000  # three days at one row a second
NO_PULSE_RATE = 255.0  # monitors write it when they have no pulse; it is inside the limits of a pulse
_NAMES = {
    "temp_c": header.TEMP_C,
    "temp_f": header.TEMP_F,
    "spo2_pct": header.SPO2_PCT,
    "hr_bpm": header.HR_BPM,
    "pi_pct": header.PI_PCT,
}
_LIMITS = {"temp_c": (15.0, 45.0), "spo2_pct": (50.0, 100.0), "hr_bpm": (20.0, 300.0), "pi_pct": (0.0, 20.0)}


@dataclass
class Recording:
    """A checked recording; its time counts from the first row. `notes` name gaps and incomplete rows.

    `off_s`: moments at which nothing is worn any more, because rows are missing after them.
    """

    points: list[Point]
    interpolated: bool = False
    notes: list[str] = field(default_factory=list)
    off_s: list[float] = field(default_factory=list)

    def track(self) -> Track:
        """Return it as a track; see track.py for what happens between rows."""
        off = [Point(t_s, None, None, None) for t_s in self.off_s]
        points = sorted([*self.points, *off], key=lambda point: point.t_s)
        return Track(points, join_s=JOIN_S, hold_s=HOLD_S)


def read_recording(path: Path) -> Recording:
    """Return the recording; TableError names each bad line and column."""
    with opened(path) as raw:
        table = Table(raw, path)
        return _Reader(table).read()


class _Reader:
    def __init__(self, table: Table) -> None:
        self._table = table
        self._places = _places(table)
        self._points: list[Point] = []
        self._lines: list[int] = []
        self._half_known: list[int] = []

    def read(self) -> Recording:
        table = self._table
        time_place = self._places.pop("t_s")
        moments = Moments(table.header[time_place], table.numbers)
        for cells in table.rows():
            if not any(cells):
                continue
            if len(self._points) >= ROWS_MAX:
                raise TableError(f"{table.name}: more than {ROWS_MAX} rows. Cut it into parts")
            t_s = self._time(moments, cells[time_place])
            values = {name: self._value(name, cells[place]) for name, place in self._places.items()}
            if t_s is not None:
                self._add(t_s, values)
        problems = table.problems
        if not self._points and not problems.count:
            problems.add("no rows")
        problems.check(self._order_advice())
        self._check_unit(moments)
        return self._made(moments.kind)

    def _time(self, moments: Moments, cell: str) -> float | None:
        place = f"line {self._table.line}, t_s"
        if not cell:
            self._table.problems.add(f"{place}: is missing")
            return None
        try:
            t_s = moments.read(cell)
        except ValueError as error:
            self._table.problems.add(f"{place}: {error}")
            return None
        if moments.unit_s is None and moments.kind == "number":
            name = quoted(moments.name)
            raise TableError(
                f"{self._table.name}: line {self._table.header_line}: {name} does not name its unit. Call the column"
                " t_s, t_ms or t_min"
            )
        if t_s < 0:
            self._table.problems.add(f"{place}: {t_s:g} is before the start")
            return None
        if self._points and t_s <= self._points[-1].t_s:
            shown = f"{t_s:g} does not come after {self._points[-1].t_s:g}"
            if moments.kind != "number":
                shown = moments.backwards(cell)
            self._table.problems.add(f"{place}: {shown}")
            return None
        return t_s

    def _value(self, name: str, cell: str) -> float | None:
        if cell == "":
            return None
        place = f"line {self._table.line}, {name}"
        try:
            value = self._table.numbers.read(cell)
        except ValueError as error:
            self._table.problems.add(f"{place}: {error}; leave the cell blank when a probe was off")
            return None
        shown = value
        if name == "temp_f":
            name, value = "temp_c", header.celsius(value)
        hint = _implausible(name, value, shown)
        if hint:
            self._table.problems.add(f"{place}: {hint}")
            return None
        return value

    def _add(self, t_s: float, values: dict[str, float | None]) -> None:
        temp_c = values.get("temp_c", values.get("temp_f"))
        spo2_pct, hr_bpm, pi_pct = values["spo2_pct"], values["hr_bpm"], values.get("pi_pct")
        if (spo2_pct is None) != (hr_bpm is None):
            self._half_known.append(self._table.line)
        self._lines.append(self._table.line)
        self._points.append(
            Point(t_s, temp_c, spo2_pct, hr_bpm, DEFAULT_PI_PCT if pi_pct is None else pi_pct)
        )

    def _order_advice(self) -> str:
        return "" if self._table.problems.count < 2 or len(self._points) > 1 else _SORT

    def _check_unit(self, moments: Moments) -> None:
        """A whole file whose rows are too close or too far apart counts its time in another unit."""
        distances = [after.t_s - before.t_s for before, after in pairwise(self._points)]
        problems = Problems(self._table.name)
        name = quoted(moments.name)
        if moments.kind == "number":
            why = wrong_unit(distances, name, moments.unit_s, self._table.comments)
            if why:
                problems.add(why)
            elif moments.unit_s == 1.0 and len(distances) > 1 and min(distances) > JOIN_S:
                # A date or a column t_min leaves no doubt: a chart of each quarter of an hour plays, with gaps.
                step = f"step {median(distances):g} s"
                if step not in self._table.comments:
                    problems.add(
                        f"no two rows within {JOIN_S:g} s: t_ms counts milliseconds, t_min minutes; if {name} counts"
                        f" seconds, write the line '# {step}' on top"
                    )
        problems.check()

    def _made(self, kind: str) -> Recording:
        points, name = self._points, self._table.name
        interpolated = any(comment.startswith("interpolated") for comment in self._table.comments)
        distances = [after.t_s - before.t_s for before, after in pairwise(points)]
        missing = [at for at in holes(distances) if distances[at] <= JOIN_S]
        notes = _notes(name, points, self._lines, self._half_known)
        if missing:
            step_s = median(distances)
            lines = counted([self._lines[at + 1] for at in missing])
            notes.append(
                f"{name}: more than {HOLE_ROWS * step_s:g} s between rows {step_s:g} s apart, before: {lines};"
                f" nothing is joined there, {step_s:g} s after the row before the strap counts as off"
            )
        start_s = points[0].t_s
        if start_s:
            if kind == "number":
                notes.append(f"{name}: the first row is at {start_s:g} s; playing begins there")
            points = [replace(point, t_s=point.t_s - start_s) for point in points]
        off_s = [points[at].t_s + median(distances) for at in missing]
        return Recording(points, interpolated, notes, off_s)


_SORT = "Sort the rows by time, the earliest first."


def _places(table: Table) -> dict[str, int]:
    """Column of each value; TableError when one is missing, doubled or unknown."""
    places = {name: table.find(*names, needed=False) for name, names in _NAMES.items()}
    found = {name: place for name, place in places.items() if place is not None}
    time_place = time_column(table)
    if time_place is not None:
        found["t_s"] = time_place
    missing = [name for name in ("t_s", "spo2_pct", "hr_bpm") if name not in found]
    if len({"temp_c", "temp_f"} & set(found)) != 1:
        missing.append("exactly one column temp_c")
    unknown = [quoted(name) for at, name in enumerate(table.header) if at not in found.values()]
    if missing or unknown:
        why = [f"missing: {', '.join(missing)}"] if missing else []
        why += [f"not known: {', '.join(unknown[:10])}"] if unknown else []
        advice = ". Leave the cells of a column blank when nothing was measured" if missing else ""
        raise TableError(
            f"{table.name}: refused, problems: 1\nline {table.header_line}: the header must be"
            f" t_s,temp_c,spo2_pct,hr_bpm[,pi_pct]; {'; '.join(why)}{advice}"
        )
    return found


def _implausible(name: str, value: float, shown: float) -> str:
    low, high = _LIMITS[name]
    if name == "hr_bpm" and value == NO_PULSE_RATE:
        return "255 is what monitors write without a pulse; leave the cell blank"
    if low <= value <= high:
        return ""
    if name == "temp_c" and shown == value and header.looks_like_fahrenheit(value):
        return f"{value:g} looks like Fahrenheit; degrees Celsius are needed, or the name temp_f"
    if name == "spo2_pct" and 0.0 < value <= 1.0:
        return f"{value:g} looks like a fraction; percent is needed"
    return f"{shown:g} is outside {low:g}..{high:g}; leave the cell blank when a probe was off"


def _notes(name: object, points: list[Point], lines: list[int], half_known: list[int]) -> list[str]:
    notes = []
    distances = [after.t_s - before.t_s for before, after in pairwise(points)]
    gaps = [line for s, line in zip(distances, lines[1:], strict=True) if s > JOIN_S]
    if gaps:
        notes.append(
            f"{name}: gaps of more than {JOIN_S:g} s before a row: {counted(gaps)}; "
            f"the row before a gap applies for {HOLD_S:g} s, then the strap counts as off"
        )
    if half_known:
        notes.append(
            f"{name}: rows with only one of spo2_pct and hr_bpm: {counted(half_known)}; "
            "the simulated light needs both, so the optical probe counts as off"
        )
    if all(point.temp_c is None and (point.spo2_pct is None or point.hr_bpm is None) for point in points):
        notes.append(f"{name}: no row has a value: the wearable is not worn all the time")
    return notes
