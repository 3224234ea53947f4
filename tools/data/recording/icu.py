"""Convert charted vital signs of one intensive-care stay (long form: rec,minute,name,value) to a recording.

Values are charted about hourly. Two charted values of one sign up to 4 h apart are joined by a straight line, a row per
minute; in a longer gap the sign stays blank. The values between charted ones are interpolated; the file says so.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tools.data.recording.reader import NO_PULSE_RATE
from tools.data.recording.writer import Row
from tools.data.table.header import HR_BPM, SPO2_PCT, TEMP_C, TEMP_F, celsius, looks_like_fahrenheit, plain
from tools.data.table.numbers import MISSING_WORDS
from tools.data.table.problems import TableError
from tools.data.table.reader import Table
from tools.data.table.text_lines import opened

JOIN_MIN = 240
STEP_S = 60
ROWS_MAX = 200_000  # 138 days
MINUTE_MAX = 1e9
_SIGNS = {"Temp": (25.0, 45.0), "SaO2": (50.0, 100.0), "HR": (20.0, 300.0)}
_WORDS = {
    "Temp": (*TEMP_C, *TEMP_F, "body_temperature"),
    "SaO2": (*SPO2_PCT, "o2_saturation", "oxygen_saturation"),
    "HR": HR_BPM,
}
_BY_NAME = {word: sign for sign, words in _WORDS.items() for word in words}
IGNORED_MAX = 100  # names that are counted


class Stay:
    """Charted signs of one stay by minute.

    `dropped` counts values outside what a body can have, `ignored` those under names that are no sign of a recording.
    `contradicted`: (sign, minute) with two different values.
    """

    def __init__(self) -> None:
        self.signs: dict[str, dict[float, float]] = {name: {} for name in _SIGNS}
        self._times: dict[str, list[float]] = {}  # in order, made when first asked for
        self.dropped = 0
        self.contradicted: set[tuple[str, float]] = set()
        self.fahrenheit = 0
        self.ignored: Counter[str] = Counter()

    def add(self, minute: float, name: str, value: float) -> None:
        """Take one charted value. Two that differ in one minute contradict each other, and none of them counts."""
        low, high = _SIGNS[name]
        if low <= value <= high and not (name == "HR" and value == NO_PULSE_RATE):
            if self.signs[name].setdefault(minute, value) != value:
                self.contradicted.add((name, minute))
            self._times.pop(name, None)
        else:
            self.dropped += 1
            self.fahrenheit += name == "Temp" and looks_like_fahrenheit(value)

    def forget_contradicted(self) -> None:
        """Leave out the minutes with two different values, once every value was taken."""
        for name, minute in self.contradicted:
            self.signs[name].pop(minute, None)

    @property
    def first_min(self) -> float:
        """Minute of the first charted value."""
        return min((minute for sign in self.signs.values() for minute in sign), default=0.0)

    @property
    def last_min(self) -> float:
        """Minute of the last charted value."""
        return max((minute for sign in self.signs.values() for minute in sign), default=0.0)

    def at(self, name: str, minute: float) -> float | None:
        """Return the sign at a minute: charted, or interpolated between neighbours at most JOIN_MIN apart."""
        sign = self.signs[name]
        times = self._times.setdefault(name, []) or sorted(sign)
        self._times[name] = times
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
    """Return one stay of a table; TableError names each bad line, or says that the stay is not there."""
    stay, others = Stay(), {}
    found = False
    with opened(path) as raw:
        table = Table(raw, path)
        rec, name, value = (table.find(column) for column in ("rec", "name", "value"))
        minute = table.find("minute", "minutes", "t_min", "time_min")
        assert rec is not None and name is not None and value is not None and minute is not None
        for cells in table.rows():
            if cells[rec] != record:
                if len(others) < 5:
                    others[cells[rec]] = True
                continue
            found = True
            word = plain(cells[name])
            sign = _BY_NAME.get(word)
            if sign:
                _take(table, stay, sign, cells[minute], cells[value], word in TEMP_F)
            elif cells[name] in stay.ignored or len(stay.ignored) < IGNORED_MAX:
                stay.ignored[cells[name]] += 1
        table.problems.check()
    stay.forget_contradicted()
    if not found:
        raise TableError(f"{path}: no stay {record}. There are: {', '.join(others)[:200] or 'none'}")
    if stay.fahrenheit > len(stay.signs["Temp"]):
        why = f"{stay.fahrenheit} values of Temp look like Fahrenheit. Degrees Celsius are needed"
        raise TableError(f"{path}: stay {record}: {why}")
    return stay


def _take(table: Table, stay: Stay, sign: str, minute: str, value: str, in_fahrenheit: bool) -> None:
    try:
        at_min = table.numbers.read(minute)
        if not 0 <= at_min <= MINUTE_MAX:
            raise ValueError(f"minute {at_min:g} is outside 0..{MINUTE_MAX:g}")
        if value == "" or value.lower() in MISSING_WORDS:
            stay.dropped += 1
        else:
            read = table.numbers.read(value)
            stay.add(at_min, sign, celsius(read) if in_fahrenheit else read)
    except ValueError as error:
        table.problems.add(f"line {table.line}, {sign}: {error}")


def rows(stay: Stay, from_min: float, to_min: float | None) -> Iterator[Row]:
    """Yield a row per minute from `from_min` to `to_min` (the last charted value when None); t_s starts at 0."""
    end = stay.last_min if to_min is None else to_min
    first, last = stay.first_min, stay.last_min
    if not any(stay.signs.values()):
        raise TableError(f"no value of {', '.join(_SIGNS)} inside its limits; {stay.dropped} outside")
    if end <= from_min or from_min > last or end < first:
        raise TableError(
            f"no charted values between minute {from_min:.10g} and {end:.10g}: they are from minute {first:.10g} to"
            f" {last:.10g}, and a recording needs two moments"
        )
    if (end - from_min) * 60 / STEP_S > ROWS_MAX:
        raise TableError(
            f"minute {from_min:.10g} to {end:.10g} would be more than {ROWS_MAX} rows. The charted values are from"
            f" minute {first:.10g} to {last:.10g}: cut them with --from-min and --to-min"
        )
    return _rows(stay, from_min, end)


def _rows(stay: Stay, from_min: float, end: float) -> Iterator[Row]:
    for second in range(0, int((end - from_min) * 60) + 1, STEP_S):
        minute = from_min + second / 60
        yield second, stay.at("Temp", minute), stay.at("SaO2", minute), stay.at("HR", minute), None
