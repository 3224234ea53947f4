"""Reads and checks a recording: `t_s,temp_c,spo2_pct,hr_bpm[,pi_pct]`, one row per moment.

Blank temp_c: thermometer off. Blank spo2_pct and hr_bpm: optical probe off. All blank: strap off. pi_pct 0: worn
without a pulse; blank or without the column: a warm finger. Lines that start with # are comments; `# interpolated`
marks a file whose values were interpolated.
"""

import csv
import math
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

from tools.data.track import DEFAULT_PI_PCT, Point, Track

COLUMNS = ("t_s", "temp_c", "spo2_pct", "hr_bpm")
JOIN_S = 300.0  # rows further apart are not joined
HOLD_S = 60.0  # so long the earlier row's values then still apply
_LIMITS = {"temp_c": (15.0, 45.0), "spo2_pct": (50.0, 100.0), "hr_bpm": (20.0, 300.0), "pi_pct": (0.0, 20.0)}
_SHOWN = 10


class RecordingError(ValueError):
    """The file was refused; the text lists problems with line and column, and counts them."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        shown = problems[:_SHOWN]
        if len(problems) > _SHOWN:
            shown.append(f"... and {len(problems) - _SHOWN} more")
        super().__init__("\n".join([f"{path}: refused, problems: {len(problems)}", *shown]))
        self.problems = problems


@dataclass
class Recording:
    """A checked recording; its time counts from the first row. `notes` name gaps and incomplete rows."""

    points: list[Point]
    interpolated: bool = False
    notes: list[str] = field(default_factory=list)

    def track(self) -> Track:
        """Return it as a track; see track.py for what happens between rows."""
        return Track(self.points, join_s=JOIN_S, hold_s=HOLD_S)


def read_recording(path: Path) -> Recording:
    """Return the recording; RecordingError names each bad line and column."""
    problems: list[str] = []
    points: list[Point] = []
    interpolated = False
    half_known: list[int] = []  # lines
    line_numbers: list[int] = []
    header: list[str] | None = None
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise RecordingError(path, [f"not UTF-8 text: {error}"]) from error
    for number, line in enumerate(lines, 1):
        if line.startswith("#"):
            interpolated = interpolated or line.lstrip("# ").startswith("interpolated")
            continue
        if not line.strip():
            continue
        try:
            cells = [cell.strip() for cell in next(csv.reader([line]))]
        except csv.Error as error:
            problems.append(f"line {number}: {error}")
            continue
        if header is None:
            header = cells
            if tuple(header[:4]) != COLUMNS or header[4:] not in ([], ["pi_pct"]):
                why = f"the header must be t_s,temp_c,spo2_pct,hr_bpm[,pi_pct], not {line!r}"
                raise RecordingError(path, [f"line {number}: {why}"])
            continue
        if len(cells) != len(header):
            problems.append(f"line {number}: {len(cells)} columns, the header has {len(header)}")
            continue
        values = _values(number, header, cells, problems)
        t_s = values.get("t_s")
        if t_s is None:
            continue
        if points and t_s <= points[-1].t_s:
            problems.append(f"line {number}, t_s: {t_s:g} does not come after {points[-1].t_s:g}")
            continue
        if (values.get("spo2_pct") is None) != (values.get("hr_bpm") is None):
            half_known.append(number)
        line_numbers.append(number)
        pi_pct = DEFAULT_PI_PCT if values.get("pi_pct") is None else values["pi_pct"]
        points.append(Point(t_s, *(values.get(name) for name in COLUMNS[1:]), pi_pct))
    if header is None:
        problems.append("no header line")
    elif not points and not problems:
        problems.append("no rows")
    if problems:
        raise RecordingError(path, problems)
    notes = _notes(path, points, line_numbers, half_known)
    start_s = points[0].t_s
    if start_s:
        notes.append(f"{path}: the first row is at {start_s:g} s; playing begins there")
        points = [replace(point, t_s=point.t_s - start_s) for point in points]
    return Recording(points, interpolated, notes)


def _values(number: int, header: list[str], cells: list[str], problems: list[str]) -> dict[str, float | None]:
    values: dict[str, float | None] = {}
    for name, cell in zip(header, cells, strict=True):
        place = f"line {number}, {name}"
        if cell == "":
            if name == "t_s":
                problems.append(f"{place}: is missing")
            values[name] = None
            continue
        try:
            value = float(cell)
        except ValueError:
            problems.append(f"{place}: {cell!r} is not a number")
            continue
        if not math.isfinite(value):
            problems.append(f"{place}: {cell!r} is not a number; leave the cell blank when a probe was off")
            continue
        hint = _implausible(name, value)
        if hint:
            problems.append(f"{place}: {hint}")
            continue
        values[name] = value
    return values


def _implausible(name: str, value: float) -> str:
    if name == "t_s":
        return "" if value >= 0 else f"{value:g} is before the start"
    low, high = _LIMITS[name]
    if low <= value <= high:
        return ""
    if name == "temp_c" and 77.0 <= value <= 115.0:
        return f"{value:g} looks like Fahrenheit; degrees Celsius are needed"
    if name == "spo2_pct" and 0.0 < value <= 1.0:
        return f"{value:g} looks like a fraction; percent is needed"
    return f"{value:g} is outside {low:g}..{high:g}"


def _notes(path: Path, points: list[Point], line_numbers: list[int], half_known: list[int]) -> list[str]:
    notes = []
    distances = [after.t_s - before.t_s for before, after in pairwise(points)]
    gaps = [number for s, number in zip(distances, line_numbers[1:], strict=True) if s > JOIN_S]
    if gaps:
        notes.append(
            f"{path}: gaps of more than {JOIN_S:g} s before a row: {_counted(gaps)}; "
            f"the row before a gap applies for {HOLD_S:g} s, then the strap counts as off"
        )
    if half_known:
        notes.append(
            f"{path}: rows with only one of spo2_pct and hr_bpm: {_counted(half_known)}; "
            "the simulated light needs both, so the optical probe counts as off"
        )
    return notes


def _counted(line_numbers: list[int]) -> str:
    """Text like `2 (lines 7, 12)`."""
    more = ", ..." if len(line_numbers) > _SHOWN else ""
    return f"{len(line_numbers)} (lines {', '.join(map(str, line_numbers[:_SHOWN]))}{more})"
