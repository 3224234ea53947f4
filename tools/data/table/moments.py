"""The time column of a table: seconds, other units, clock times or dates; what is not clear is refused.

A clock time without a date may pass midnight: a step of more than 12 h back is the next day.
"""

import datetime
import re

from tools.data.table.header import plain
from tools.data.table.numbers import Numbers
from tools.data.table.problems import TableError, quoted
from tools.data.table.reader import Table

DAY_S = 86400.0
LATEST_S = 1e11  # as seconds since 1970 this is the year 5138: whoever writes more counts milliseconds
_UNITS_S = {
    1.0: "s sec secs second seconds sekunden secondes",
    1e-3: "ms msec millis millisec millisecs millisecond milliseconds",
    1e-6: "us usec micros microsecond microseconds",
    60.0: "min mins minute minutes minuten",
    3600.0: "h hour hours stunden heures",
    DAY_S: "d day days",
}
_UNIT_S = {name: seconds for seconds, names in _UNITS_S.items() for name in names.split()}
# a column with one of these words in its name holds times; `min` may be a minimum, `day` stands beside a time
_WORDS = {
    "t", "time", "timestamp", "ts", "datetime", "elapsed", "epoch", "unix", "clock", "zeit", "zeitstempel", "uhrzeit",
    "temps", "heure", "horodatage",
    *(name for name in _UNIT_S if len(name) > 1 and name not in ("min", "mins", "day", "days")),
}  # fmt: skip
RISES_ROWS = 25
RISES_MIN = 3
_IF_TIME = "If it is a time, call it t_s or t_ms; else delete it"
_DATES = {"date", "date with zone"}
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}(?:[.,][0-9]{1,9})?))?(?:\s*([AaPp])\.?[Mm]\.?)?")
_CLOCK_INSIDE = re.compile(r"(?<![0-9])[0-9]{1,2}:[0-9]{2}(?![0-9])")
_DAY = re.compile(r"([0-9]{1,4})([-./])([0-9]{1,2})\2([0-9]{1,4})")
_ZONE = re.compile(r"\s*(Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)$", re.IGNORECASE)
_NAMED_ZONE = re.compile(r"[0-9]\s*([A-Za-z]{3,5})$")
_ZONE_MAX_S = 14 * 3600
# what clocks are put forward by, and the longest distance of rows at which a hole of just that length is no coincidence
_FORWARD_S = ((3600.0, 60.0), (1800.0, 30.0))
_FORWARD_UNTIL_S = 4 * 3600.0  # of the night
_WITH_ZONE = "Write the zone in every row: 2026-03-31 14:05:09+02:00"


class Moments:
    """Reads one time column. `unit_s` is the length of its unit, None when its name does not tell.

    `kind` is "number", "clock", "date" or "date with zone" after the first cell.
    `resolution_s` is the finest step that the cells show.
    """

    def __init__(self, name: str, numbers: Numbers) -> None:
        self.name = name
        self._numbers = numbers
        self.unit_s = _unit_s(_words(name))
        self.kind = ""
        self.resolution_s = float("inf")
        self._day_s = 0.0
        self._last_s: float | None = None
        self._month_first: bool | None = None
        self._half_days: bool | None = None  # the clock has AM and PM
        self._before_s: float | None = None
        self._step_s = 0.0

    def read(self, cell: str) -> float:
        """Seconds; only differences and order count. ValueError says what is wrong with the cell."""
        kind, value = self._value(cell)
        if self.kind and kind != self.kind:
            both = f": {self.kind} before, {kind} here" if {kind, self.kind} <= _DATES else ""
            raise ValueError(f"{quoted(cell)} is not written as the times before it are{both}")
        self.kind = kind
        if kind in ("clock", "date"):
            self._check_forward(cell, value)
        return value

    def _check_forward(self, cell: str, value: float) -> None:
        """ValueError for an hour that is left out at night: nobody can say whether it passed."""
        before_s, step_s = self._before_s, self._step_s
        self._before_s = value
        if before_s is None:
            return
        self._step_s = value - before_s
        is_night = before_s % DAY_S < _FORWARD_UNTIL_S or before_s % DAY_S + step_s >= DAY_S
        for forward_s, step_max_s in _FORWARD_S:
            late_s = abs(self._step_s - forward_s - step_s)
            if is_night and 0 < step_s <= step_max_s and late_s <= max(step_s / 4, 2 * self.resolution_s):
                raise ValueError(
                    f"{quoted(cell)}: {forward_s / 60:g} min are left out; clocks may have been put forward."
                    f" {_WITH_ZONE}"
                )

    def backwards(self, cell: str) -> str:
        """What is wrong when this cell does not come after the one before."""
        zone = {"date": "write the zone (+01:00)", "clock": "write the date and the zone"}.get(self.kind)
        advice = f". Where clocks were put back, {zone}" if zone else ""
        return f"{quoted(cell)} does not come after the row before. Sort the rows, each once{advice}"

    def _value(self, cell: str) -> tuple[str, float]:
        if ":" in cell:
            return self._clock_or_date(cell)
        value = self._numbers.read(cell)
        unit_s = 1.0 if self.unit_s is None else self.unit_s
        if abs(value * unit_s) >= LATEST_S:
            raise ValueError(
                f"{quoted(cell)} is too large for seconds. Is it milliseconds? Name the column t_ms"
            )
        decimals = 9 if "e" in cell.lower() else len(cell.replace(",", ".").partition(".")[2])
        self.resolution_s = min(self.resolution_s, unit_s * 10.0**-decimals)
        return "number", value * unit_s

    def _clock_or_date(self, cell: str) -> tuple[str, float]:
        zone = _ZONE.search(cell)
        bare = cell[: zone.start()] if zone else cell
        day_text, _, clock_text = re.sub("(?<=[0-9])[Tt](?=[0-9])", " ", bare, count=1).rpartition(" ")
        if clock_text.rstrip(".").lower() in ("am", "pm", "a.m", "p.m"):
            day_text, _, first = day_text.rpartition(" ")
            clock_text = f"{first} {clock_text}"
        match = _CLOCK.fullmatch(clock_text)
        named = _NAMED_ZONE.search(cell)
        if not match and named:
            raise ValueError(f"{quoted(cell)}: {named[1]} is no zone that is known. {_WITH_ZONE}")
        if not match or (zone and not day_text):
            raise ValueError(f"{quoted(cell)} is not a time. Write it as 14:05:09 or 2026-03-31 14:05:09")
        if match[3] is None and not day_text:
            raise ValueError(
                f"{quoted(cell)} may be hours and minutes or minutes and seconds. Write 14:05:00 or a column t_s"
            )
        if self._half_days not in (None, match[4] is not None):
            raise ValueError(f"{quoted(cell)}: some times have AM or PM and others have not")
        self._half_days = match[4] is not None
        hour, minute, second = int(match[1]), int(match[2]), float((match[3] or "0").replace(",", "."))
        if match[4]:
            if not 1 <= hour <= 12:
                raise ValueError(f"{quoted(cell)} is no time of 12 hours")
            hour = hour % 12 + (12 if match[4] in "Pp" else 0)
        if hour > 23 or minute > 59 or second >= 60:
            raise ValueError(f"{quoted(cell)} is no time of a day")
        decimals = len((match[3] or "").replace(",", ".").partition(".")[2])
        self.resolution_s = min(self.resolution_s, 10.0**-decimals if match[3] else 60.0)
        clock_s = hour * 3600 + minute * 60 + second
        if not day_text:
            return "clock", self._after_midnight(clock_s)
        local_s = self._days(day_text.strip(), cell) * DAY_S + clock_s
        if zone is None:
            return "date", local_s
        zone_s = _zone_s(zone[1])
        if abs(zone_s) > _ZONE_MAX_S:
            raise ValueError(f"{quoted(cell)}: there is no zone {zone[1]}")
        return "date with zone", local_s - zone_s

    def _after_midnight(self, clock_s: float) -> float:
        if self._last_s is not None and self._last_s - clock_s > DAY_S / 2:
            self._day_s += DAY_S
        self._last_s = clock_s
        return self._day_s + clock_s

    def _days(self, text: str, cell: str) -> int:
        match = _DAY.fullmatch(text)
        if not match:
            raise ValueError(f"{quoted(cell)} is not a time. Write it as 2026-03-31 14:05:09")
        first, sign, middle, last = int(match[1]), match[2], int(match[3]), int(match[4])
        if len(match[1]) == 4:
            year, month, day = first, middle, last
        elif len(match[4]) != 4:
            raise ValueError(f"{quoted(cell)}: the year needs four digits. Write it as 2026-03-31 14:05:09")
        elif sign == ".":
            year, month, day = last, middle, first
        else:
            if first > 12 or middle > 12:
                if self._month_first not in (None, middle > 12):
                    raise ValueError(
                        f"{quoted(cell)}: the day and the month stand in another order than before"
                    )
                self._month_first = middle > 12
            if self._month_first is None and first != middle:
                why = "the day and the month can be exchanged. Write it as 2026-03-31 14:05:09"
                raise ValueError(f"{quoted(cell)}: {why}")
            year, month, day = (last, first, middle) if self._month_first else (last, middle, first)
        try:
            return datetime.date(year, month, day).toordinal()
        except ValueError:
            raise ValueError(f"{quoted(cell)}: there is no such day") from None


def time_column(table: Table) -> int | None:
    """Place of the time column, the one that names its unit before the others; None without one."""
    found = []
    for place, name in enumerate(table.header):
        words = _words(name)
        if _WORDS & set(words):
            found.append((_unit_s(words) is None, place))
        elif words in (["date"], ["datum"]):
            found.append((True, place + len(table.names)))
    return min(found)[1] % len(table.names) if found else None


class UnnamedTimes:
    """Watches the columns that nobody reads, in a table without a column of times: one of them may hold the times."""

    def __init__(self, table: Table, used: set[int]) -> None:
        self._table = table
        self._last = {at: float("-inf") for at in range(len(table.header)) if at not in used}
        self._numbers = {at: Numbers() for at in self._last}
        self._rises = dict.fromkeys(self._last, 0)
        self._rows = 0

    def watch(self, cells: list[str], rows: int = RISES_ROWS) -> None:
        """Take one row; TableError when a column holds clock times, or has risen in each of so many first rows."""
        self._rows += 1
        for at, last in list(self._last.items()):
            if _CLOCK_INSIDE.search(cells[at]):
                self._refuse(at, "holds times of a clock. Call it time, or delete it")
            if not cells[at]:
                continue
            try:
                value = self._numbers[at].read(cells[at])
            except ValueError:
                value = float("-inf")
            if value < last or value == float("-inf"):
                del self._last[at]
                continue
            self._rises[at] += value > last
            self._last[at] = value
        if self._rows == rows:
            for at in self._last:
                if self._rises[at] == rows:
                    self._refuse(at, f"rises in every row. {_IF_TIME}")

    def end(self, length_s: float) -> None:
        """After the last row: TableError when a column never fell and rose often, as whole seconds do."""
        for at in self._last:
            if self._rises[at] > max(RISES_MIN, length_s / 2):
                self._refuse(at, f"never falls. {_IF_TIME}")

    def _refuse(self, at: int, why: str) -> None:
        name = quoted(self._table.header[at])
        raise TableError(f"{self._table.name}: line {self._table.header_line}: column {name} {why}")


def _words(name: str) -> list[str]:
    """The words of a name: `timeMs` is time, ms."""
    return plain(re.sub("(?<=[a-z])(?=[A-Z])", "_", name)).split("_")


def _unit_s(words: list[str]) -> float | None:
    """The unit that the words of a name say: `time_since_start_ms`, `millis`, `t_s`."""
    named = [word for word in words if word in _UNIT_S and (len(word) > 1 or word == words[-1])]
    return _UNIT_S[named[-1]] if named else None


def _zone_s(zone: str) -> float:
    if zone[0].isalpha():
        return 0.0
    sign = -1 if zone[0] == "-" else 1
    minutes = int(zone[-2:]) if len(zone) > 3 else 0
    return sign * (int(zone[1:3]) * 3600.0 + minutes * 60.0) if minutes < 60 else 2.0 * _ZONE_MAX_S
