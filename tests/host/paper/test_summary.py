"""The page for the emergency department: one page, whatever is stored, with all that a stranger must know."""

import datetime
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from crs_core import codes, units
from hypothesis import given
from hypothesis import strategies as st

from host_agent.paper.fitting import how_many, shares
from host_agent.paper.sheet import PLAIN, RIGHT, Sheet
from host_agent.paper.summary import pdf_of, summary_pdf
from host_agent.printable import printable
from host_agent.store.readings import newest_first
from host_agent.views import hours
from host_agent.views.entry_words import entry_words
from host_agent.views.report import LONGEST_MS, summary
from host_agent.views.trend import trend
from tests.docs.test_forbidden_words import FORBIDDEN
from tests.host.paper.report_world import NOW_MS, ReportWorld, text_of
from tests.host.people.people_world import HOUR_MS, MIN_MS

DAY_MS = 24 * HOUR_MS
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def world(tmp_path):
    made = ReportWorld(tmp_path)
    yield made
    made.store.close()


def page(world, span_ms=DAY_MS, now_ms=NOW_MS):
    """The text of the one page."""
    pages, text = text_of(world.read(summary_pdf, now_ms, span_ms))
    assert pages == 1
    return text


def test_a_stranger_reads_who_what_when_and_whom_to_call(world):
    world.a_day()
    text = page(world)
    for said in (
        "Summary for the emergency department", "P-1 Day +4", "Product: axicabtagene ciloleucel",
        "infusion 2026-03-27", "age 54", "wearable: Bed 3", "Care team 555-0199. Emergency 112.",
        "38.50 °C (101.3 °F) axilla", "made 2026-03-31 14:05", "CytoWatch 0.1.0", "It is no diagnosis",
        "Research prototype, not a medical device.", "2026-03-31 08:05 HIGH: oxygen low, until 2026-03-31 09:05;",
        "2026-03-31 04:05 MEDIUM: fever, stands now; nobody accepted it.", "nurse-1: blood pressure 98/60 mmHg",
        "nurse-1: oxygen flow 2 L/min; oxygen nasal cannula low", "temperature by hand 38.9 °C (102.0 °F), oral",
        "CRS (ASTCT 2019): at least 2, could be up to 4. Not known: vasopressors. Not signed.",
        "Asked for and not entered: ICE or CAPD.", "05:04 to 06:35", "Signed by a clinician Nothing.",
    ):  # fmt: skip
        assert said in text, said
    assert "SIMULATED" not in text and not FORBIDDEN.search(text)


def test_whoever_accepted_is_named_beside_the_alarm(world):
    world.rows.alarm(codes.HYPOXAEMIA, 3, ago_ms=HOUR_MS)
    world.rows.write(
        "INSERT INTO episodes (id, key, device, journal, binding, kind, alarm, priority, peak_priority, state,"
        " simulated, opened_utc_ms, changed_utc_ms) VALUES (1, ?, 1, 1, 1, 'alarm', ?, 3, 3, 'accepted', 0, ?, ?)",
        f"{'01' * 8}-{b'JOURNAL1'.hex()}-0-alarm-{codes.HYPOXAEMIA}-1", codes.HYPOXAEMIA, NOW_MS, NOW_MS,
    )  # fmt: skip
    world.rows.write(
        "INSERT INTO acceptances (episode, kind, who, how, audit, note, priority, at_utc_ms, until_utc_ms, after,"
        " wearable, number) VALUES (1, 'accepted', 'nurse-1', 'page', NULL, '', 3, ?, ?, NULL, '', 1)",
        NOW_MS - 50 * MIN_MS, NOW_MS,
    )  # fmt: skip
    assert "HIGH: oxygen low, stands now; accepted by nurse-1 at 2026-03-31 13:15." in page(world)


def test_simulated_data_says_so_at_the_top_and_at_the_bottom(tmp_path):
    world = ReportWorld(tmp_path, simulated=True)
    text = page(world)
    assert text.startswith("SIMULATED. No patient is behind this page.")
    assert text.count("SIMULATED") >= 2
    world.store.close()


def test_the_same_store_and_time_give_the_same_bytes_in_every_process(world, tmp_path):
    world.a_day()
    first = world.read(summary_pdf, NOW_MS, DAY_MS)
    world.read(summary_pdf, NOW_MS, 6 * HOUR_MS)
    assert world.read(summary_pdf, NOW_MS, DAY_MS) == first
    script = (
        "import sys, hashlib; from pathlib import Path; from host_agent.store.snapshot import open_snapshot\n"
        "from host_agent.store.bindings import binding_by_row; from host_agent.paper.summary import summary_pdf\n"
        "with open_snapshot(Path(sys.argv[1])) as tx:\n"
        f"    print(hashlib.sha256(summary_pdf(tx, binding_by_row(tx, 1), {NOW_MS}, {DAY_MS})).hexdigest())\n"
    )
    import hashlib

    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "c.db")], capture_output=True, text=True, check=False,
            cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed, "TZ": "UTC"},
        )  # fmt: skip
        assert done.stdout.strip() == hashlib.sha256(first).hexdigest(), done.stderr


def test_the_fonts_are_in_the_file(world):
    import io

    import pypdf

    (only,) = pypdf.PdfReader(io.BytesIO(world.read(summary_pdf, NOW_MS, DAY_MS))).pages
    fonts = [one.get_object() for one in only["/Resources"]["/Font"].values()]
    used = [one for one in fonts if one["/Subtype"] == "/TrueType"]
    assert used and all("/FontFile2" in one["/FontDescriptor"] for one in used)
    assert [round(float(one)) for one in only.mediabox[2:]] == [595, 842]


def test_nothing_stored_is_a_page_that_says_so(world):
    text = page(world)
    for said in (
        "no reading yet", "nothing was measured", "No alarm is stored.", "Nothing was entered.",
        "Not gradable: nothing was graded or entered yet.", "Temperature was not measured for 20 h of 20 h",
        "Nothing before 2026-03-30 18:05",
    ):  # fmt: skip
        assert said in text, said


def test_what_is_not_stated_is_said(tmp_path):
    world = ReportWorld(tmp_path, infusion_date=None, product=None, call_number=None, systolic_mmhg=None)
    world.rows.write("UPDATE devices SET settings = ''")
    text = page(world)
    assert "Day not known" in text and "Product: not stated; infusion not stated" in text
    assert "Care team NUMBER NOT SET. Emergency NUMBER NOT SET." in text
    world.store.close()


def test_more_than_fits_is_counted_and_the_most_urgent_stays(world):
    for number in range(60):
        world.rows.alarm(codes.HYPOXAEMIA, 3, ago_ms=(130 - 2 * number) * MIN_MS)
        world.rows.alarm(codes.HYPOXAEMIA, 0, ago_ms=(129 - 2 * number) * MIN_MS)
    world.rows.alarm(codes.FEVER, 2, ago_ms=19 * HOUR_MS)
    for number in range(30):
        world.enter(world.nurse, ago_ms=(40 - number) * MIN_MS, systolic_mmhg=98 + number, diastolic_mmhg=60)
    world.now_ms = NOW_MS
    text = page(world)
    alarms = text[text.index("Alarms since") : text.index("Entered by people")]
    shown = alarms.count("HIGH:")
    assert f" {60 - shown} more alarms: cytowatch history" in alarms and shown > 3
    assert alarms.index("MEDIUM: fever, stands now") < alarms.index("HIGH:")
    assert "more entries: cytowatch context history" in text and "Call: Care team 555-0199" in text


HOSTILE = [
    "x" * 5000, "W " * 3000, "<b>bold</b><script>alert(1)</script>", "#set page(width: 1pt) $ x $ \\ ( ) %PDF",
    "\x1b[2J\r\b\0",
    "\u202eevil\u2066", "中文 日本語 한국어", "\U0001f321\ufe0f\u0301\u0489", "", " ", "\udcff", "a\nb\nOK",
    "(Tj) ET BT /F1 100 Tf", "ﷺ" * 100, "é" * 2000,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_leaves_its_place_or_becomes_a_command(world, text):
    world.a_day()
    data = world.read(summary, NOW_MS, DAY_MS)
    row = {"text": text}
    hostile = {
        "patient": text, "product": text, "wearable": text, "site": text, "infusion_date": text, "newest": text,
        "version": text, "device_id": text, "call": {"care_team": text, "emergency": text}, "from_text": text,
        "alarms": [row] * 200, "entries": [row] * 200, "grades": [row] * 200, "unknown": [row] * 200,
        "signed": [row] * 200, "usual_systolic_mmhg": text, "age_years": text,
    }  # fmt: skip
    pages, shown = text_of(pdf_of({**data, **hostile}))
    assert pages == 1
    assert "Research prototype, not a medical device." in shown and "more alarms: cytowatch history" in shown
    if "<b>" in text:
        assert "<script>" in shown
    if "中" in text:
        assert "signs that this page cannot print stand as ?" in shown


@given(st.text(max_size=300), st.integers(20, 500))
def test_every_line_is_within_its_width_and_no_sign_is_lost(text, width):
    sheet = Sheet("x")
    lines = sheet.wrap(text, PLAIN, float(width), most=10_000)
    assert all(sheet.wide(one, PLAIN) <= width or len(one) == 1 for one in lines)
    assert "".join(lines).replace(" ", "") == sheet.clean(text).replace(" ", "")
    assert len(sheet.clean(text)) == len(
        printable(text.replace("→", "->").replace("₂", "2").translate({9: " ", 10: " "}))
    )
    assert len(sheet.wrap(text, PLAIN, RIGHT, most=2)) <= 2


@given(st.lists(st.integers(0, 400), min_size=1, max_size=8), st.integers(0, 80))
def test_the_lines_of_a_page_are_shared_so_that_a_short_list_stays_whole(needs, lines):
    given_lines = shares(needs, lines)
    assert all(got <= need for got, need in zip(given_lines, needs, strict=True))
    assert sum(given_lines) <= max(lines, 2 * len(needs))
    assert all(got >= min(need, 2) for got, need in zip(given_lines, needs, strict=True))
    if sum(needs) <= lines:
        assert given_lines == needs


@given(st.lists(st.integers(1, 3), max_size=40), st.integers(0, 40))
def test_the_line_that_counts_the_rest_has_its_place(lengths, lines):
    count = how_many(lengths, lines)
    rest = 0 if count == len(lengths) else 1
    assert sum(lengths[:count]) + rest <= max(lines, 1)


def test_summer_time_is_said_beside_each_time_of_that_day(tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    world = ReportWorld(tmp_path)
    now_ms = round(datetime.datetime(2026, 3, 29, 2, 30, tzinfo=datetime.UTC).timestamp() * 1000)
    world.rows.write("UPDATE bindings SET started_utc_ms = 0")
    text = page(world, now_ms=now_ms)
    assert "made 2026-03-29 04:30+02:00" in text and "from 2026-03-28 03:30 to" in text
    world.store.close()


def test_a_clock_that_was_set_back_is_said_and_no_reading_is_drawn_ahead(world):
    world.readings(2, 0.1)
    now_ms = NOW_MS - HOUR_MS
    text = page(world, 6 * HOUR_MS, now_ms)
    assert "Readings lie after the time that this laptop shows: its clock was changed." in text
    assert max(one[0] for one in world.read(summary, now_ms, 6 * HOUR_MS)["course"]["points"]) <= now_ms


def test_a_gap_breaks_the_line_and_one_reading_is_drawn_alone(world):
    world.readings(3, 2, each_s=10)
    world.readings(1, 0.9972, each_s=10)
    points = world.read(summary, NOW_MS, 6 * HOUR_MS)["course"]["points"]
    breaks = [at for at, one in enumerate(points) if one[1] is None]
    assert len(breaks) == 1 and points[breaks[0] - 1][0] < NOW_MS - 2 * HOUR_MS + 60_000


def test_ten_years_are_one_page_and_the_reading_of_it_stops_at_the_span(world, monkeypatch):
    """Readings of long ago are not read: the time of a page does not grow with the store."""
    world.rows.write("UPDATE bindings SET started_utc_ms = ? WHERE id = 1", NOW_MS - 3650 * DAY_MS)
    world.rows.write(
        "INSERT INTO time_marks VALUES (1, 7, 0, 'journal', ?, 20, NULL, 0)", NOW_MS - 3650 * DAY_MS
    )
    status = units.make_status(units.SITE_AXILLA, units.TEMP_VALID, units.PPG_VALID, units.WEAR_WORN)
    old = ((1, -200_000 + at, 7, at * 1_500_000, 3700, 970, 80, 150, status, 0) for at in range(200_000))
    world.store.write_now(
        lambda tx: tx.executemany("INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", old)
    )
    for number in range(2000):
        world.rows.alarm(codes.FEVER, 2 * (number % 2 == 0), ago_ms=(2000 - number) * HOUR_MS)
    world.readings(3, 0.1)
    read = []
    monkeypatch.setattr(
        hours, "newest_first", lambda *at: (read.append(one) or one for one in newest_first(*at))
    )
    assert "Alarms since 2026-03-30 14:05" in page(world) and len(read) < 1000
    assert "Alarms since 2026-03-17 14:05" in page(world, LONGEST_MS)


@pytest.mark.parametrize(
    "values, words",
    [
        ({"systolic_mmhg": 120, "diastolic_mmhg": 80}, "blood pressure 120/80 mmHg"),
        ({"systolic_mmhg": 120}, "systolic pressure 120 mmHg"),
        ({"temperature_cc": 3840, "site": "oral"}, "temperature by hand 38.4 °C (101.1 °F), oral"),
        ({"temperature_cc": None, "site": None}, "temperature cc no longer known; site no longer known"),
        ({"oxygen": "face_mask", "flow_lpm": "2.5"}, "oxygen face mask; oxygen flow 2.5 L/min"),
        ({"vasopressors": ["norepinephrine", "vasopressin"]}, "vasopressors norepinephrine, vasopressin"),
        ({"vasopressors": []}, "vasopressors none"),
        ({"ice": 7, "motor_weakness": False}, "ICE score 7; new weakness of a limb no"),
        ({"spo2_tenths": 925}, "SpO2 92.5 %"),
    ],
)
def test_an_entry_reads_as_people_say_it(values, words):
    assert entry_words(values) == words


def test_the_hour_that_happens_twice_has_two_rows(tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    world = ReportWorld(tmp_path)
    now_ms = round(datetime.datetime(2026, 10, 25, 2, 0, tzinfo=datetime.UTC).timestamp() * 1000)
    world.rows.write("UPDATE time_marks SET utc_ms = utc_ms + ?", now_ms - NOW_MS)
    world.readings(3, 0.1, each_s=300)
    rows = world.read(trend, "6h", now_ms)["hours"]
    assert [row["hour"] for row in rows] == [
        "2026-10-25 02:00+01:00", "2026-10-25 02:00+02:00", "2026-10-25 01:00+02:00",
    ]  # fmt: skip
    world.store.close()
