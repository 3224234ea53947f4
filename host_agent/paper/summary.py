"""The page for the emergency department: one A4 page, whatever there is to say. What does not fit is counted on it."""

from typing import Any, NamedTuple

from host_agent.paper.course import MARKS_MOST, draw_course
from host_agent.paper.fitting import how_many, shares
from host_agent.paper.sheet import BOLD, GREY, HEIGHT, MARGIN, PLAIN, RED, RIGHT, SMALL, Area, Sheet, Style
from host_agent.store.bindings import Binding
from host_agent.store.db import Tx
from host_agent.text import SIMULATED
from host_agent.views.report import summary

_BOTTOM = MARGIN + 26
_CHART_HEIGHT = 200.0
_INDENT = 12.0
_ROWS_MOST = 80  # more lines than a page has
_PATIENT = Style("VeraBd", 15)
_CALL = Style("VeraBd", 10)


class _List(NamedTuple):
    """`more` has the place for a number."""

    title: str
    rows: list[dict[str, Any]]
    more: str
    empty: str


def summary_pdf(tx: Tx, binding: Binding, now_ms: int, span_ms: int) -> bytes:
    """The page about one open binding as a PDF file: the same bytes for the same store and time."""
    return pdf_of(summary(tx, binding, now_ms, span_ms))


def pdf_of(data: dict[str, Any]) -> bytes:
    """The page that shows what `views.report.summary` gave."""
    sheet = Sheet(f"CytoWatch summary, {data['patient']}, {data['made_text']}")
    top = _head(sheet, data)
    sheet.text(MARGIN, top - 9, sheet.clean(f"Course from {data['from_text']} to {data['made_text']}"), BOLD)
    number = len(data["course"]["events"])
    drawn = f"{number}" if number <= MARKS_MOST else f"the newest {MARKS_MOST} of {number}"
    marks = f"marks on the time axis: {drawn} alarms and entries" if number else ""
    sheet.text(RIGHT - sheet.wide(marks, SMALL), top - 9, marks, SMALL)
    chart = Area(MARGIN, top - 14 - _CHART_HEIGHT, RIGHT - MARGIN, _CHART_HEIGHT)
    draw_course(sheet, data["course"], chart)
    _lists(sheet, data, chart.y)
    _foot(sheet, data)
    return sheet.pdf()


def _head(sheet: Sheet, data: dict[str, Any]) -> float:
    """Who it is about and whom to call; returns where it ends."""
    y: float = HEIGHT - MARGIN
    if data["simulated"]:
        sheet.box(Area(MARGIN, y - 12, RIGHT - MARGIN, 16), RED)
        sheet.text(
            MARGIN + 4, y - 8, f"{SIMULATED}. No patient is behind this page.", Style("VeraBd", 10, (1, 1, 1))
        )
        y -= 20
    sheet.text(MARGIN, y - 8, "Summary for the emergency department", BOLD._replace(size=10))
    made = sheet.clean(f"made {data['made_text']}")
    sheet.text(RIGHT - sheet.wide(made, PLAIN), y - 8, made)
    y -= 28
    day = f"Day {data['day']:+d}" if data["day"] is not None else "Day not known"
    for line in sheet.wrap(f"{data['patient'] or 'no pseudonym'}   {day}", _PATIENT, RIGHT - MARGIN, 1):
        sheet.text(MARGIN, y, line, _PATIENT)
    y -= 13
    about = [
        f"Product: {data['product'] or 'not stated'}", f"infusion {data['infusion_date'] or 'not stated'}",
        f"age {data['age_years'] or 'not stated'}", f"wearable: {data['wearable']}",
        f"thermometer: {data['site'] or 'not stated'}",
    ]  # fmt: skip
    if data["usual_systolic_mmhg"]:
        about.append(f"usual systolic pressure {data['usual_systolic_mmhg']} mmHg")
    for line in sheet.wrap("; ".join(about) + ".", PLAIN, RIGHT - MARGIN, 2):
        sheet.text(MARGIN, y, line)
        y -= PLAIN.leading
    call = data["call"]
    numbers = f"Care team {call['care_team'] or 'NUMBER NOT SET'}.  Emergency {call['emergency'] or 'NUMBER NOT SET'}."
    for line in sheet.wrap(f"Call: {numbers}", _CALL, RIGHT - MARGIN, 2):
        sheet.text(MARGIN, y - 4, line, _CALL)
        y -= _CALL.leading
    for line in sheet.wrap(f"Newest reading: {data['newest']}.", BOLD, RIGHT - MARGIN, 2):
        sheet.text(MARGIN, y - 4, line, BOLD)
        y -= BOLD.leading
    return y - 6


def _lists(sheet: Sheet, data: dict[str, Any], top: float) -> None:
    since = f"since {data['from_text']}"
    lists = [
        _List(f"Alarms {since}", data["alarms"], "{} more alarms: cytowatch history", "No alarm is stored."),
        _List(
            f"Entered by people {since}", data["entries"], "{} more entries: cytowatch context history",
            "Nothing was entered.",
        ),
        _List("Grades, as intervals over what is not known", data["grades"], "{} more grades: cytowatch status", ""),
        _List("Signed by a clinician", data["signed"], "{} more: cytowatch history --kind signed", "Nothing."),
        _List("Not known", data["unknown"], "{} more that is not known: cytowatch status", ""),
    ]  # fmt: skip
    wide = RIGHT - MARGIN
    texts = [
        [sheet.wrap(row["text"], PLAIN, wide, indent=_INDENT) for row in one.rows[:_ROWS_MOST]]
        or [[one.empty]]
        for one in lists
    ]
    headings = len(lists) * (BOLD.leading + 4)
    lines = int((top - _BOTTOM - headings) // PLAIN.leading)
    given = shares([sum(len(item) for item in items) for items in texts], lines)
    y = top
    for one, items, share in zip(lists, texts, given, strict=True):
        y -= BOLD.leading + 2
        sheet.text(MARGIN, y, sheet.clean(one.title), BOLD)
        sheet.line((MARGIN, y - 2), (RIGHT, y - 2))
        y -= 2
        count = how_many([len(item) for item in items], share)
        shown = [(at, line) for item in items[:count] for at, line in enumerate(item)]
        if count < len(one.rows):
            shown.append((0, one.more.format(len(one.rows) - count)))
        for at, line in shown:
            y -= PLAIN.leading
            sheet.text(MARGIN + (_INDENT if at else 0), y, line)


def _foot(sheet: Sheet, data: dict[str, Any]) -> None:
    lacking = f" {sheet.lacking} signs that this page cannot print stand as ?." if sheet.lacking else ""
    lines = [
        f"{data['notice']} It shows what was measured and entered. It is no diagnosis, and no advice on treatment.",
        f"CytoWatch {data['version']}, wearable {data['device_id']}. Times are of this laptop's clock.{lacking}",
    ]
    if data["simulated"]:
        lines[0] = f"{SIMULATED}. {lines[0]}"
    for at, line in enumerate(lines):
        sheet.text(MARGIN, MARGIN + 8 - at * 9, sheet.clean(line), SMALL._replace(colour=GREY))
