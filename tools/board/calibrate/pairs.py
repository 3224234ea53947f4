"""Read pairs of a device's value and a reference's value from CSV; every wrong line is named."""

import csv
import math
from pathlib import Path
from typing import NamedTuple

_SHOWN = 10


class CalibrateError(Exception):
    """The measurements cannot be read or give no calibration; the message says why."""


class Pair(NamedTuple):
    """`line` of the file or second of the recording; `device` in R or °C; `reference` in % or °C."""

    line: int
    device: float
    reference: float


SPO2_LIMITS = {"r_milli": (200.0, 2500.0), "spo2_ref_pct": (60.0, 100.0)}
TEMPERATURE_LIMITS = {"device_c": (25.0, 45.0), "reference_c": (25.0, 45.0)}
REFERENCE_LIMITS = {"t_s": (0.0, 1e6), "spo2_pct": (60.0, 100.0)}
RAW_LIMITS = {"red": (0.0, 262143.0), "ir": (0.0, 262143.0)}


def read_columns(path: Path, limits: dict[str, tuple[float, float]]) -> list[tuple[int, tuple[float, ...]]]:
    """(line, values) of the columns in `limits`; CalibrateError names every line with a value outside its limits.

    Lines that start with # are comments. Other columns are ignored.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CalibrateError(f"{path}: cannot be read: {error}") from None
    numbered = [(n, line) for n, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    rows = list(csv.reader(line for _, line in numbered))
    header = [cell.strip() for cell in rows[0]] if rows else []
    missing = [name for name in limits if name not in header]
    if missing:
        wanted = ", ".join(limits)
        raise CalibrateError(f"{path}: no column {', '.join(missing)}. The first line must name {wanted}.")
    found, problems = [], []
    for (number, _), row in zip(numbered[1:], rows[1:], strict=True):
        values = []
        for name, (low, high) in limits.items():
            cell = row[header.index(name)].strip() if header.index(name) < len(row) else ""
            try:
                value = float(cell)
            except ValueError:
                value = math.nan
            if not low <= value <= high:
                problems.append(f"line {number}: {name} {cell!r} is not a number {low:g}..{high:g}")
            values.append(value)
        found.append((number, tuple(values)))
    if problems:
        more = [f"... and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
        raise CalibrateError("\n".join([f"{path}: refused", *problems[:_SHOWN], *more]))
    return found


def read_spo2(path: Path) -> list[Pair]:
    """Pairs of R and the reference's SpO2 in percent."""
    return [Pair(line, r / 1000, spo2) for line, (r, spo2) in read_columns(path, SPO2_LIMITS)]


def read_temperature(path: Path) -> list[Pair]:
    """Pairs of the chip's own value and the reference's, °C."""
    return [Pair(line, *values) for line, values in read_columns(path, TEMPERATURE_LIMITS)]
