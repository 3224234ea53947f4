"""What people are asked for: due, missed, answered, and by whom nothing can be asked."""

import pytest
from crs_core import codes
from crs_core.grade.rules import DEFAULT

from host_agent.people.regrade import NO_PROMPTS, asked_for
from host_agent.sync.timebase import stored_time
from tests.host.people.people_world import HOUR_MS, MIN_MS

ALL = ["blood_pressure", "oxygen", "ice"]


@pytest.fixture
def rows(rows):
    rows.started(0)
    return rows


def asked(world, after_ms=0):
    return world.store.read_now(lambda tx: asked_for(tx, 1, world.now_ms + after_ms, stored_time))


def test_before_a_fever_all_three_are_due_after_twelve_hours_and_missed_half_an_hour_later(world, rows):
    for after_ms, due, missed in (
        (12 * HOUR_MS - 1, [], []), (12 * HOUR_MS, ALL, []), (12 * HOUR_MS + 30 * MIN_MS - 1, ALL, []),
        (12 * HOUR_MS + 30 * MIN_MS, [], ALL),
    ):  # fmt: skip
        assert asked(world, after_ms)[:2] == (due, missed), after_ms
    assert asked(world, 13 * HOUR_MS).priority == codes.PRIORITY_LOW


def test_once_febrile_they_come_every_two_hours_and_a_missed_one_is_medium(world, rows):
    rows.grade(codes.FEVER_MET)
    assert asked(world, 2 * HOUR_MS - 1)[:2] == ([], []) and asked(world, 2 * HOUR_MS)[:2] == (ALL, [])
    assert asked(world, 2 * HOUR_MS + 30 * MIN_MS) == (
        [], ALL, codes.PRIORITY_MEDIUM,
    )  # fmt: skip


def test_an_answer_counts_from_when_it_was_observed_and_for_what_it_answers(world, rows):
    rows.grade(codes.FEVER_MET)
    world.now_ms += 2 * HOUR_MS + 45 * MIN_MS
    world.enter(world.nurse, systolic_mmhg=124, capd=3, ago_ms=HOUR_MS)
    assert asked(world).missed == ["oxygen"] and asked(world, HOUR_MS).due == ["blood_pressure", "ice"]
    world.enter(world.nurse, context="complete")
    assert asked(world) == NO_PROMPTS


def test_withdrawing_and_correcting_away_answer_nothing(world, rows):
    world.now_ms += 12 * HOUR_MS
    first = world.enter(world.nurse, oxygen="room_air")
    assert asked(world).due == ["blood_pressure", "ice"]
    world.enter(world.nurse, corrects=first.entry.id, oxygen=None)
    world.enter(world.nurse, ice=None)
    assert asked(world).due == ALL


def test_the_end_of_the_episode_brings_the_long_interval_back(world, rows):
    rows.grade(codes.FEVER_MET)
    world.now_ms += 3 * HOUR_MS
    assert asked(world).priority == codes.PRIORITY_MEDIUM
    rows.grade(codes.FEVER_NOT_MET, ago_ms=MIN_MS)
    world.sign(world.doctor, "close_episode", {})
    assert asked(world) == NO_PROMPTS and asked(world, 9 * HOUR_MS).due == ALL


def test_while_fever_is_possible_a_temperature_by_mouth_is_asked_for_at_once_and_again(world, rows):
    rows.alarm(codes.POSSIBLE_FEVER)
    assert asked(world)[:2] == (["temperature_cc"], [])
    assert asked(world, 30 * MIN_MS) == ([], ["temperature_cc"], codes.PRIORITY_LOW)
    world.enter(world.nurse, temperature_cc=3790, site="axilla")
    assert asked(world).due == ["temperature_cc"], "the axilla is what the wearable has"
    world.enter(world.nurse, temperature_cc=3790, site="oral")
    assert asked(world) == NO_PROMPTS and asked(world, DEFAULT.prompt_possible_ms).due == ["temperature_cc"]
    rows.alarm(codes.POSSIBLE_FEVER, 0)
    assert asked(world, DEFAULT.prompt_possible_ms) == NO_PROMPTS


def test_nothing_is_asked_about_a_binding_that_ends_or_a_signed_death(world, rows):
    late_ms = 13 * HOUR_MS
    world.now_ms += late_ms
    death = world.sign(world.doctor, "death", {"cause": "other"})
    assert asked(world).missed == ALL
    world.sign(world.second, "countersign", {}, refers_to=death.entry.id)
    assert asked(world) == NO_PROMPTS
    world.sign(world.doctor, "reverse", {"reason": "an error"}, refers_to=death.entry.id)
    assert asked(world).missed == ALL
    rows.write("UPDATE bindings SET state = 'ending' WHERE id = 1")
    assert asked(world) == NO_PROMPTS
