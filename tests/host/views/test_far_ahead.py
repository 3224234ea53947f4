"""A record that lies far ahead of its boot has no known time in any view that shows it."""

import pytest
from crs_core import codes
from crs_core.grade.rules import DEFAULT
from crs_core.journal import record_layout

from host_agent.people.wearable_says import fresh, signs
from host_agent.store.time_marks import note_extents
from host_agent.sync.timebase import arrived_time, stored_time
from host_agent.views.hours import hours_rows
from host_agent.views.records import Answer, Question
from host_agent.views.state import read_state
from tests.host.people.people_world import HOUR_MS, MIN_MS, PeopleWorld
from tests.host.people.wearable_rows import WearableRows

AHEAD_MS = 3 * HOUR_MS
JUST_AHEAD_MS = (1, 999, 10_000, 5 * MIN_MS)
ALL = Question(None, None, None)


@pytest.fixture
def ward(tmp_path):
    made = PeopleWorld(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def world(ward):
    """One record of each kind, dated in three hours, by a wearable whose boot was heard of until now."""
    made = ward
    rows = WearableRows(made)
    rows.started(HOUR_MS)
    rows.reading(ago_ms=-AHEAD_MS)
    rows.grade(codes.FEVER_MET, ago_ms=-AHEAD_MS)
    rows.alarm(codes.FEVER, 2, ago_ms=-AHEAD_MS)
    t_ms = made.now_ms + AHEAD_MS - rows.boot_utc_ms
    for seq, kind, payload in ((90, record_layout.BUTTON, b"\x01"), (91, record_layout.HEALTH, b"\0")):
        rows.write("INSERT INTO events VALUES (1, ?, 1, ?, ?, ?, 0, 1)", seq, t_ms, kind, payload)
    heard_ms = made.now_ms - MIN_MS - rows.boot_utc_ms
    made.store.write_now(lambda tx: note_extents(tx, 1, [(1, heard_ms)], made.now_ms))
    return made


@pytest.mark.parametrize("kind", ["readings", "grades", "alarms", "events"])
def test_history(world, kind):
    rows = world.store.read_now(lambda tx: list(Answer(tx, ALL).rows(kind)))
    assert rows and [row["at"] for row in rows] == [None] * len(rows)


def test_the_report_of_hours(world):
    rows = world.store.read_now(
        lambda tx: hours_rows(tx, device=None, day=None, now_ms=world.now_ms + 2 * AHEAD_MS, utc=True)
    )
    assert sum(row["undated_readings"] for row in rows) == 1 and not sum(row["both_ms"] for row in rows)


def test_the_state(world):
    data = world.store.read_now(lambda tx: read_state(tx, {}, world.now_ms))
    device = next(one for one in data["devices"] if one["newest_reading"])
    assert device["newest_reading"]["at"] is None and device["newest_reading"]["age_s"] is None
    assert device["grade"]["since"] is None
    (alarm,) = [one for one in device["alarms"] if one["raised_by"] == "wearable"]
    assert alarm["since"] is None


@pytest.mark.parametrize("ahead_ms", JUST_AHEAD_MS)
def test_a_record_just_ahead_of_its_boot_is_dated_nowhere_and_graded_from_nowhere(ward, ahead_ms):
    rows = WearableRows(ward)
    rows.started(HOUR_MS)
    heard_ms = ward.now_ms - rows.boot_utc_ms - 10 * MIN_MS
    ward.store.write_now(lambda tx: note_extents(tx, 1, [(1, heard_ms)], ward.now_ms - 10 * MIN_MS))
    rows.reading(3910, 960, ago_ms=10 * MIN_MS - ahead_ms)

    def views(tx):
        days = hours_rows(tx, device=None, day=None, now_ms=ward.now_ms, utc=True)
        (reading,) = Answer(tx, ALL).rows("readings")
        device = next(one for one in read_state(tx, {}, ward.now_ms)["devices"] if one["newest_reading"])
        undated, both_ms = (sum(day[name] for day in days) for name in ("undated_readings", "both_ms"))
        return undated, both_ms, reading["at"], device["newest_reading"]["age_s"]

    assert ward.store.read_now(views) == (1, 0, None, None)
    assert ward.store.read_now(lambda tx: fresh(tx, 1, DEFAULT, ward.now_ms, stored_time)) == ({}, {})


def test_a_reassuring_grade_far_ahead_counts_as_none(ward):
    rows = WearableRows(ward)
    rows.started(HOUR_MS)
    heard_ms = ward.now_ms - rows.boot_utc_ms
    ward.store.write_now(lambda tx: note_extents(tx, 1, [(1, heard_ms)], ward.now_ms))
    rows.grade(codes.FEVER_NOT_MET, ago_ms=-AHEAD_MS)
    assert ward.store.read_now(lambda tx: list(signs(tx, 1, DEFAULT, ward.now_ms, stored_time))) == []
    rows.grade(codes.FEVER_MET, ago_ms=-AHEAD_MS)
    (said,) = ward.store.read_now(lambda tx: list(signs(tx, 1, DEFAULT, ward.now_ms, stored_time)))
    assert said.utc_ms == ward.now_ms


@pytest.mark.parametrize("ahead_ms", [0, 5_000, HOUR_MS, 40 * 24 * HOUR_MS])
def test_no_event_says_a_time_after_its_receipt(ward, ahead_ms):
    rows = WearableRows(ward)
    t_ms = ward.now_ms + ahead_ms - rows.boot_utc_ms
    found = ward.store.read_now(lambda tx: arrived_time(tx, 1, 1, t_ms, ward.now_ms))
    assert found[0] == ward.now_ms and ahead_ms <= found[1] <= 1.001 * ahead_ms + 1000
