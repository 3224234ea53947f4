"""Temperature and SpO2 over time on one page: gaps stay gaps, events are numbered marks, the hours are wall time."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from host_agent.paper.sheet import BLACK, BLUE, GREY, RED, SMALL, Area, Colour, Sheet
from host_agent.text import local_time

_HOURS = (1, 2, 3, 6, 12, 24, 48)
_TICKS_MOST = 9
_HOUR_MS = 3_600_000
MARKS_MOST = 60  # more of them would be one black bar


class Panel(NamedTuple):
    """`columns` are those of the lowest and highest value of a point; `limit` is a line to read against."""

    title: str
    columns: tuple[int, int]
    scale: int
    lowest: int
    highest: int
    step: int
    limit: int
    colour: Colour


PANELS = (
    Panel("Temperature, °C (line at 38.0)", (1, 2), 100, 3500, 4100, 100, 3800, RED),
    Panel("SpO2, % (line at 90)", (3, 4), 10, 800, 1000, 50, 900, BLUE),
)


def draw_course(sheet: Sheet, chart: Mapping[str, Any], area: Area) -> None:
    """Both panels, one above the other."""
    each = area.height / len(PANELS)
    for at, panel in enumerate(PANELS):
        bottom = area.y + area.height - (at + 1) * each
        inside = Area(area.x + 26, bottom + 16, area.width - 26, each - 30)
        _Drawing(sheet, chart, panel, inside).draw()


class _Drawing:
    """One panel; `area` is within its axes. The axes reach as far as the values do."""

    def __init__(self, sheet: Sheet, chart: Mapping[str, Any], panel: Panel, area: Area) -> None:
        self.sheet, self.chart, self.panel, self.area = sheet, chart, panel, area
        self.points: list[list[Any]] = chart["points"]
        values = [one[column] for one in self.points for column in panel.columns if one[column] is not None]
        step = panel.step
        self.low: int = min([panel.lowest, *(value // step * step for value in values)])
        self.high: int = max([panel.highest, *(-(-value // step) * step for value in values)])
        self.is_empty = not values

    def draw(self) -> None:
        sheet, area = self.sheet, self.area
        sheet.text(area.x, area.y + area.height + 4, self.panel.title, SMALL._replace(colour=BLACK))
        self._axes()
        for run in _runs(self.points, self.panel.columns):
            self._run(run)
        for event in self.chart["events"][-MARKS_MOST:]:
            x = self._x(event["utc_ms"])
            sheet.line((x, area.y), (x, area.y + 6), BLACK)
        if self.is_empty:
            sheet.text(area.x + area.width / 2 - 40, area.y + area.height / 2, "nothing was measured", SMALL)

    def _axes(self) -> None:
        sheet, area, step = self.sheet, self.area, self.panel.step
        while (self.high - self.low) // step > 8:
            step *= 2
        right = area.x + area.width
        for value in range(self.low, self.high + 1, step):
            y = self._y(value)
            sheet.line((area.x, y), (right, y))
            label = f"{value / self.panel.scale:.0f}"
            sheet.text(area.x - 4 - sheet.wide(label, SMALL), y - 2, label, SMALL)
        for at_ms, label in _ticks(self.chart["from_ms"], self.chart["to_ms"]):
            x = self._x(at_ms)
            sheet.line((x, area.y), (x, area.y + area.height))
            sheet.text(x - sheet.wide(label, SMALL) / 2, area.y - 9, label, SMALL)
        sheet.line((area.x, self._y(self.panel.limit)), (right, self._y(self.panel.limit)), BLACK)
        sheet.line((area.x, area.y), (right, area.y), GREY)

    def _run(self, run: Sequence[tuple[int, int, int]]) -> None:
        """One unbroken piece: a band from the lowest to the highest values, or a dot when it is one point."""
        canvas = self.sheet.canvas
        canvas.setFillColorRGB(*self.panel.colour)
        canvas.setStrokeColorRGB(*self.panel.colour)
        canvas.setLineWidth(0.9)
        if len(run) == 1:
            at, low, high = run[0]
            bottom, top = self._y(low) - 0.6, self._y(high) + 0.6
            canvas.rect(self._x(at) - 0.6, bottom, 1.2, top - bottom, stroke=0, fill=1)
            return
        path = canvas.beginPath()
        for at, (utc_ms, _, high) in enumerate(run):
            (path.lineTo if at else path.moveTo)(self._x(utc_ms), self._y(high))
        for utc_ms, low, _ in reversed(run):
            path.lineTo(self._x(utc_ms), self._y(low))
        path.close()
        canvas.drawPath(path, stroke=1, fill=1)

    def _x(self, utc_ms: int) -> float:
        span_ms = max(1, int(self.chart["to_ms"]) - int(self.chart["from_ms"]))
        return self.area.x + float(utc_ms - int(self.chart["from_ms"])) / span_ms * self.area.width

    def _y(self, value: int) -> float:
        return self.area.y + float(value - self.low) / (self.high - self.low) * self.area.height


def _runs(points: Sequence[Sequence[Any]], columns: tuple[int, int]) -> Iterator[list[tuple[int, int, int]]]:
    run: list[tuple[int, int, int]] = []
    for one in points:
        low, high = one[columns[0]], one[columns[1]]
        if low is None or high is None:
            if run:
                yield run
            run = []
        else:
            run.append((one[0], low, high))
    if run:
        yield run


def _ticks(from_ms: int, to_ms: int) -> Iterator[tuple[int, str]]:
    """(moment, its wall time) at full hours; with its date where a day begins."""
    step_ms = next(
        (hours * _HOUR_MS for hours in _HOURS if (to_ms - from_ms) // (hours * _HOUR_MS) <= _TICKS_MOST),
        96 * _HOUR_MS,
    )
    last = ""
    for at_ms in range(-(-from_ms // step_ms) * step_ms, to_ms + 1, step_ms):
        day, clock = local_time(at_ms, with_date=True, with_seconds=False).split(" ")
        yield at_ms, clock if day == last else f"{day[5:]} {clock}"
        last = day
