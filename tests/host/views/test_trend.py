"""The course of a patient: gaps stay gaps, no peak is averaged away, and nothing invalid is drawn."""

import pytest
from crs_core import codes, units

from host_agent.store.bindings import open_bindings
from host_agent.store.rollups import add_readings
from host_agent.views.trend import trend
from tests.host.people.people_world import HOUR_MS, MIN_MS, PeopleWorld
from tests.host.people.wearable_rows import WearableRows


@pytest.fixture
def world(tmp_path):
    made = PeopleWorld(tmp_path)
    made.rows = WearableRows(made)
    made.rows.started(400 * HOUR_MS)
    yield made
    made.store.close()


def course(world, span="6h"):
    def read(tx):
        bound = next(one for one in open_bindings(tx) if one.device == 1)
        return trend(tx, bound, span, world.now_ms)

    return world.store.read_now(read)


def rolled_up(world):
    world.store.write_now(lambda tx: add_readings(tx, 1, [(1, world.rows.seq)]))


def test_every_reading_of_six_hours_is_a_point_and_a_silence_is_a_gap(world):
    for ago_ms in (50 * MIN_MS, 50 * MIN_MS - 10_000, 20 * MIN_MS, 20 * MIN_MS - 10_000):
        world.rows.reading(3800, 950, ago_ms=ago_ms)
    times, low, high, spo2_low, _ = course(world)["columns"]
    assert low == high == [3800, 3800, None, 3800, 3800]
    assert spo2_low == [950, 950, None, 950, 950]
    assert times == sorted(times) and times[2] == times[1] + 1


def test_readings_that_come_more_often_are_drawn_from_the_beginning(world):
    for number in range(3600):
        world.rows.reading(3800, 950, ago_ms=5 * HOUR_MS - number * 5000)
    rolled_up(world)
    found = course(world)
    assert found["columns"][0][0] <= (world.now_ms - 5 * HOUR_MS) // 1000 and found["bucket_s"] == 300


def test_a_value_that_may_not_count_is_not_drawn(world):
    world.rows.reading(3800, 950, ago_ms=20_000, temp_state=units.TEMP_SETTLING)
    world.rows.reading(3810, 880, ago_ms=10_000, ppg_state=units.PPG_MOTION)
    _, low, _, spo2_low, _ = course(world)["columns"]
    assert low == [None, 3810] and spo2_low == [950, None]


def test_a_long_course_keeps_the_lowest_and_highest_of_each_bucket(world):
    for minute in range(0, 30 * 24 * 60, 120):
        world.rows.reading(3700, 970, ago_ms=minute * MIN_MS + 40_000)
    world.rows.reading(4012, 970, ago_ms=14 * 24 * HOUR_MS)
    world.rows.reading(3700, 781, ago_ms=13 * 24 * HOUR_MS)
    rolled_up(world)
    found = course(world, "all")
    times, _, high, spo2_low, _ = found["columns"]
    assert max(one for one in high if one) == 4012 and min(one for one in spo2_low if one) == 781
    assert len(times) <= 2001 and found["bucket_s"] % 300 == 0
    assert any("40.1 °C" in row["temperature"] for row in found["hours"])
    day = course(world, "24h")["columns"][0]
    assert min(day) >= (world.now_ms - 24 * HOUR_MS) // 1000


def test_what_happened_is_told_with_its_time(world):
    world.rows.alarm(codes.FEVER, 2, ago_ms=30 * MIN_MS)
    world.rows.alarm(codes.FEVER, 3, ago_ms=20 * MIN_MS)
    world.rows.alarm(codes.FEVER, 0, ago_ms=10 * MIN_MS)
    assert [one["text"] for one in course(world)["events"]] == ["MEDIUM fever", "HIGH fever"]


def test_nothing_stored_is_an_empty_course(world):
    for span in ("6h", "24h", "all"):
        found = course(world, span)
        assert found["columns"] == [[], [], [], [], []] and found["hours"] == []


def test_what_lies_ahead_of_the_clock_is_not_drawn(world):
    world.rows.reading(3800, 950, ago_ms=-30 * MIN_MS)
    found = course(world)
    assert found["columns"][0] == [] and len(found["left_out"]) == 1
    assert "this laptop shows: its clock was changed" in found["left_out"][0]


@pytest.mark.parametrize("span", ["6h", "all"])
def test_what_has_no_known_time_is_said_to_be_left_out(world, span):
    world.rows.reading(3800, 950, ago_ms=20_000)
    rolled_up(world)
    assert course(world, span)["left_out"] == []
    world.rows.write("DELETE FROM time_marks")
    found = course(world, span)
    assert found["columns"][0] == [] and found["left_out"] == [
        "Readings whose time is not known are not drawn."
    ]
