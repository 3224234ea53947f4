"""Times on the days when the clocks change: typed ones are clear or refused, shown ones can be typed again."""

import contextlib
import datetime
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_agent import text
from host_agent.errors import ConfigError
from host_agent.terminal.times import parse_day, parse_moment_ms, parse_span_s
from host_agent.views.hours import Days, Stretch
from host_agent.wall_time import begin_of

HOUR_MS = 3_600_000


@pytest.fixture
def zone(monkeypatch):
    """Set the time zone of this computer for one test."""

    def set_zone(name):
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield set_zone
    monkeypatch.undo()
    time.tzset()


def utc_ms(text):
    return round(datetime.datetime.fromisoformat(f"{text}+00:00").timestamp() * 1000)


@pytest.mark.parametrize(
    ("name", "typed", "one", "other"),
    [
        ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00"),
        ("Europe/Berlin", "2026-10-25 02:00", "2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00"),
        ("Europe/Berlin", "2026-10-25T02:59:59,5", "2026-10-25T02:59:59+02:00", "2026-10-25T02:59:59+01:00"),
        ("Europe/Berlin", "20261025T0230", "2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00"),
        ("America/New_York", "2026-11-01T01:30", "2026-11-01T01:30-04:00", "2026-11-01T01:30-05:00"),
        ("Asia/Beirut", "2026-10-24T23:30", "2026-10-24T23:30+03:00", "2026-10-24T23:30+02:00"),
        ("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-05T01:45+11:00", "2026-04-05T01:45+10:30"),
    ],
)
def test_a_time_that_happened_twice_is_asked_about(zone, name, typed, one, other):
    zone(name)
    with pytest.raises(
        ConfigError, match=r"--at: .* happened twice on .*, when the clocks went back"
    ) as refused:
        parse_moment_ms(typed, "--at")
    assert refused.value.advice == f"Write {one} for the first time, or {other} for the second."
    assert parse_moment_ms(one, "--at") < parse_moment_ms(other, "--at")


@pytest.mark.parametrize(
    ("name", "typed", "one", "other"),
    [
        ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:30+01:00", "2026-03-29T03:30+02:00"),
        ("Europe/Berlin", "2026-W13-7T02:00", "2026-03-29T01:00+01:00", "2026-03-29T03:00+02:00"),
        ("America/Havana", "2026-03-08T00:30", "2026-03-07T23:30-05:00", "2026-03-08T01:30-04:00"),
        ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-04T01:45+10:30", "2026-10-04T02:45+11:00"),
    ],
)
def test_a_time_that_did_not_happen_is_refused(zone, name, typed, one, other):
    zone(name)
    with pytest.raises(
        ConfigError, match=r"--from: .* did not happen on .*, when the clocks went forward"
    ) as refused:
        parse_moment_ms(typed, "--from")
    assert refused.value.advice == f"Write {one} or {other}."
    assert parse_moment_ms(one, "--from") < parse_moment_ms(other, "--from")


@pytest.mark.parametrize(
    ("name", "typed", "means"),
    [
        ("Europe/Berlin", "2026-10-25T01:59:59", "2026-10-24T23:59:59"),
        ("Europe/Berlin", "2026-10-25T03:00", "2026-10-25T02:00:00"),
        ("Europe/Berlin", "2026-10-25T02:30Z", "2026-10-25T02:30:00"),
        ("Europe/Berlin", "2026-03-29T03:00", "2026-03-29T01:00:00"),
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00"),
        ("America/Havana", "2026-03-08", "2026-03-08T05:00:00"),
        ("America/Havana", "2026-11-01", "2026-11-01T04:00:00"),
        ("UTC", "2026-03-29T02:30", "2026-03-29T02:30:00"),
    ],
)
def test_a_time_that_is_clear_is_taken_and_a_date_is_its_first_moment(zone, name, typed, means):
    zone(name)
    assert parse_moment_ms(typed, "--at") == utc_ms(means)


@pytest.mark.parametrize(
    "typed",
    ["0001-01-01", "9999-12-31", "1e9", "", " ", "2026-13-01", "31.2.2026", "25:00", "12:60", "32.1.2026 03:00",
     "yesterday 25:00", "tomorrow", "31.3.26", "13/13/2026", "3/4/26", "٠٣:١٠", "03:10 yesterday", "2026-02-30 14:05"],
)  # fmt: skip
def test_what_is_no_time_is_refused_in_words(zone, typed):
    zone("Europe/Berlin")
    with pytest.raises(ConfigError, match="--at: expected a time such as"):
        parse_moment_ms(typed, "--at")


NOON = "2026-10-26T11:00:00"  # 12:00 in Berlin, the day after the clocks went back


@pytest.mark.parametrize(
    ("typed", "means"),
    [
        ("03:10", "2026-10-26T02:10:00"),
        ("3:10", "2026-10-26T02:10:00"),
        ("12:00", "2026-10-26T11:00:00"),
        ("12:01", "2026-10-25T11:01:00"),
        ("03:10:30", "2026-10-26T02:10:30"),
        ("yesterday 22:00", "2026-10-25T21:00:00"),
        ("Yesterday 01:59", "2026-10-24T23:59:00"),
        ("today 03:10", "2026-10-26T02:10:00"),
        ("yesterday", "2026-10-24T22:00:00"),
        ("31.3.2026 14:05", "2026-03-31T12:05:00"),
        ("31.03.2026", "2026-03-30T22:00:00"),
        ("1.1. 00:30", "2025-12-31T23:30:00"),
        ("31.12. 08:00", "2025-12-31T07:00:00"),
        ("2026-03-31 14:05", "2026-03-31T12:05:00"),
        ("2026-03-31 4:05", "2026-03-31T02:05:00"),
        (" 2026-03-31  14:05 ", "2026-03-31T12:05:00"),
        ("31/3/2026 14:05", "2026-03-31T12:05:00"),
        ("3/31/2026", "2026-03-30T22:00:00"),
        ("4/4/2026", "2026-04-03T22:00:00"),
    ],
)
def test_a_time_is_understood_as_people_write_it(zone, typed, means):
    zone("Europe/Berlin")
    assert parse_moment_ms(typed, "--at", utc_ms(NOON)) == utc_ms(means)


@pytest.mark.parametrize("typed", ["03/04/2026", "3/4/2026 14:05"])
def test_a_day_that_may_be_two_is_refused_with_both_to_choose_from(zone, typed):
    zone("Europe/Berlin")
    for parse in (parse_moment_ms, parse_day):
        if parse is parse_day and " " in typed:
            continue
        with pytest.raises(ConfigError, match="may be 4 March or 3 April") as refused:
            parse(typed, "--at")
        assert refused.value.advice == "Write 2026-03-04 or 2026-04-03."


def test_a_time_alone_that_happened_twice_or_never_is_refused(zone):
    zone("Europe/Berlin")
    with pytest.raises(ConfigError, match="02:30 happened twice on 2026-10-25"):
        parse_moment_ms("02:30", "--at", utc_ms("2026-10-25T11:00:00"))
    with pytest.raises(ConfigError, match="02:30 did not happen on 2026-03-29"):
        parse_moment_ms("today 02:30", "--at", utc_ms("2026-03-29T11:00:00"))


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [("90s", 90), ("5 m", 300), ("2H", 7200), ("1,5h", 5400), ("7d", 604800), ("1min", 60)],
)
def test_a_span_is_understood_as_people_write_it(typed, seconds):
    assert parse_span_s(typed, "--for") == seconds


@pytest.mark.parametrize("typed", ["", "5", "0s", "0,0h", "m", "-5m", "5 minutes", "1h30", "٥m"])
def test_what_is_no_span_is_refused_with_what_to_write(typed):
    with pytest.raises(ConfigError, match="--for: expected a duration such as 90s") as refused:
        parse_span_s(typed, "--for")
    assert refused.value.advice == "Write for example --for 5m"


@given(st.text(max_size=30))
def test_no_text_does_more_than_mean_a_time_or_be_refused(typed):
    for parse in (parse_moment_ms, parse_day, parse_span_s):
        with contextlib.suppress(ConfigError):
            parse(typed, "--at")


def test_two_moments_never_look_alike_and_what_is_shown_can_be_typed(zone):
    zone("Europe/Berlin")
    for day in ("2026-03-29T00:00:00", "2026-10-25T00:00:00", "2026-06-01T00:00:00"):
        moments = [utc_ms(day) + at * HOUR_MS // 4 for at in range(-8, 40)]
        shown = [text.local_time(moment, with_date=True) for moment in moments]
        assert len(set(shown)) == len(shown)
        assert [parse_moment_ms(one, "--at") for one in shown] == moments
    assert text.local_time(utc_ms("2026-10-25T00:30:00")) == "02:30:00+02:00"
    assert text.local_time(utc_ms("2026-10-25T01:30:00"), with_seconds=False) == "02:30+01:00"
    assert text.local_of_iso("2026-10-26T01:30:00.000Z", with_seconds=False) == "02:30"


@pytest.mark.parametrize(
    "name", ["Europe/Berlin", "America/Havana", "Asia/Beirut", "Pacific/Apia", "Africa/Cairo"]
)
def test_the_hours_of_every_day_add_up_whatever_the_clocks_do(zone, name):
    zone(name)
    for year in (2011, 2026):
        start, end = (utc_ms(f"{one}-12-20T12:00:00") for one in (year - 1, year))
        days = Days(utc=False)
        days.add(Stretch(start, end, frozenset({"span"})))
        spans = [sums["span"] for sums in days.sums.values()]
        assert sum(spans) == end - start and all(0 < span <= 25 * HOUR_MS for span in spans)


def test_no_screen_cuts_a_wall_time_by_itself():
    """The offset would be cut off: the seconds are left out by asking for that."""
    cut = re.compile(r"local_(time|of_iso)\([^\n]*\)\[")
    sources = (text.__spec__.origin or "").rpartition("/")[0]
    found = [path for path in Path(sources).rglob("*.py") if cut.search(path.read_text())]
    assert found == []


def test_a_day_begins_when_its_first_moment_is(zone):
    zone("America/Havana")
    assert begin_of(datetime.date(2026, 3, 8)).isoformat() == "2026-03-08T01:00:00-04:00"


@pytest.mark.parametrize("name", ["Pacific/Kiritimati", "America/Havana", "Europe/Berlin"])
@pytest.mark.parametrize("ms", [-(2**63), -62_135_510_400_000, 0, 253_402_214_400_000, 2**63])
def test_a_time_that_no_calendar_has_is_shown_all_the_same(zone, name, ms):
    zone(name)
    assert text.local_time(ms, with_date=True)[4] == "-"
