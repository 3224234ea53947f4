"""A record that lies far ahead of its boot has no known time in any view that shows it."""

import pytest
from crs_core import codes
from crs_core.journal import record_layout

from host_agent.store.time_marks import note_extents
from host_agent.views.hours import hours_rows
from host_agent.views.records import Answer, Question
from host_agent.views.state import read_state
from tests.host.people.people_world import HOUR_MS, MIN_MS, PeopleWorld
from tests.host.people.wearable_rows import WearableRows

AHEAD_MS = 3 * HOUR_MS
ALL = Question(None, None, None)


@pytest.fixture
def world(tmp_path):
    """One record of each kind, dated in three hours, by a wearable whose boot was heard of until now."""
    made = PeopleWorld(tmp_path)
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
    yield made
    made.store.close()


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
