"""Read pairs of a device's value and a reference's value from a table; every wrong line is named."""

from pathlib import Path
from typing import NamedTuple

from tools.data.table.header import celsius, fahrenheit_names, looks_like_fahrenheit
from tools.data.table.problems import TableError, quoted
from tools.data.table.reader import Table
from tools.data.table.text_lines import opened

ROWS_MAX = 100_000


class CalibrateError(Exception):
    """The measurements cannot be read or give no calibration; the message says why."""


class Pair(NamedTuple):
    """`line` of the file or second of the recording; `device` in R or °C; `reference` in % or °C."""

    line: int
    device: float
    reference: float


Limits = dict[str, tuple[float, float]]
SPO2_LIMITS = {"r_milli": (200.0, 2500.0), "spo2_ref_pct": (60.0, 100.0)}
TEMPERATURE_LIMITS = {"device_c": (25.0, 45.0), "reference_c": (25.0, 45.0)}


def read_spo2(path: Path) -> tuple[list[Pair], int]:
    """(pairs of R and the reference's SpO2 in percent, how many rows repeat one); see read_pairs."""
    pairs, repeated = read_pairs(path, SPO2_LIMITS)
    return [pair._replace(device=pair.device / 1000) for pair in pairs], repeated


def read_temperature(path: Path) -> tuple[list[Pair], int]:
    """(pairs of the chip's own value and the reference's, °C, how many rows repeat one); see read_pairs."""
    return read_pairs(path, TEMPERATURE_LIMITS)


def read_pairs(path: Path, limits: Limits) -> tuple[list[Pair], int]:
    """(pairs of the two columns in `limits`, how many rows repeat an earlier pair).

    A repeated pair is no new measurement and is left out. TableError names every line with a value outside its limits.
    """
    pairs: dict[tuple[float, ...], Pair] = {}
    rows = 0
    with opened(path) as raw:
        table = Table(raw, path)
        places = [_column(table, name) for name in limits]
        for cells in table.rows():
            if not any(cells):
                continue
            rows += 1
            if rows > ROWS_MAX:
                raise TableError(f"{path}: more than {ROWS_MAX} rows. Cut it into parts")
            values = tuple(
                read_value(table, name, cells[place], limits[name], converted)
                for name, (place, converted) in zip(limits, places, strict=True)
            )
            pairs.setdefault(values, Pair(table.line, values[0], values[1]))
        table.problems.check()
    return list(pairs.values()), rows - len(pairs)


def _column(table: Table, name: str) -> tuple[int, bool]:
    """Place of a column, and whether it is in Fahrenheit by its name."""
    if name == "r_milli" and {"red", "ir"} <= set(table.names):
        raise TableError(
            f"{table.name}: this is a raw recording (red, ir). Give it as --recording, with --fs HZ and --reference REF"
        )
    place = table.find(name, *fahrenheit_names([name]))
    assert place is not None
    return place, table.names[place] != name


def read_value(
    table: Table, name: str, cell: str, limits: tuple[float, float], fahrenheit: bool = False
) -> float:
    """The number in a cell, noted as a problem of the table when it is none or outside its limits."""
    low, high = limits
    place = f"line {table.line}: {name}"
    try:
        value = table.numbers.read(cell)
    except ValueError as error:
        table.problems.add(
            f"{place}: {error if cell else 'the value is missing'}; {low:g}..{high:g} is needed"
        )
        return low
    value = celsius(value) if fahrenheit else value
    if low <= value <= high:
        return value
    hint = f". The column's name says Fahrenheit, so it is {value:g} °C" if fahrenheit else ""
    if name.endswith("_c") and looks_like_fahrenheit(value):
        hint = f". It looks like Fahrenheit: name the column {name[:-2]}_f"
    elif name == "r_milli" and low <= 1000 * value <= high:
        hint = f". R is needed in thousandths: {1000 * value:g}"
    elif name.startswith("spo2") and 0 < value <= 1:
        hint = f". It looks like a fraction; percent is needed: {100 * value:g}"
    table.problems.add(f"{place}: {quoted(cell)} is outside {low:g}..{high:g}{hint}")
    return low
