"""The wearable's ACCEPTED records: they double nothing, cover nothing that is over, and may come in any order."""

import pytest
from crs_core import codes

from host_agent.escalation.acceptance.from_wearable import on_the_wire
from host_agent.people import accepting
from host_agent.store import acceptances as store
from host_agent.store.bindings import end_binding
from tests.host.escalation.acceptance_world import (
    SOON_T_MS,
    accepted_record,
    messages,
    raised,
    reply,
    state,
    tokens,
)
from tests.host.escalation.world import NOW_MS, World, alarm_record


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.store.close()


def rows(world):
    return world.query("SELECT who, how, wearable, after, ended_by FROM acceptances ORDER BY id")


def test_the_record_that_answers_an_acceptance_doubles_nothing(world):
    episode = raised(world)
    reply(world, tokens(world)[0], "Dr. Zoë Müller-Lüdenscheidt-Beispiel")
    (sent,) = world.store.read_now(store.waiting)
    assert (sent[0].episode, sent[1]) == (episode, codes.HYPOXAEMIA)
    world.store.write_now(lambda tx: store.note_wearable(tx, sent[0].id, store.SENT))
    world.commit(accepted_record(on_the_wire(sent[0].who)), t_ms=SOON_T_MS)
    assert [row[2:] for row in rows(world)] == [("journaled", None, "")]
    assert len(messages(world, "accepted")) == 1
    world.store.write_now(lambda tx: store.note_wearable(tx, sent[0].id, store.SENT))
    assert rows(world)[0][2] == "journaled", "an answer that comes after the record changes nothing"


def test_the_record_of_another_laptop_accepts_and_is_told(world):
    raised(world)
    world.commit(accepted_record("nurse-9"), t_ms=SOON_T_MS)
    assert rows(world) == [("nurse-9", "wearable", "", None, "")] and state(world) == ("accepted", "nurse-9")
    assert [one["acceptance"]["who"] for one in messages(world, "accepted")] == ["nurse-9"]
    assert world.query("SELECT acceptance_lapses_utc_ms FROM episodes") == [(NOW_MS + 600_000,)]


def test_a_record_that_waited_counts_from_when_the_wearable_took_it(world):
    raised(world)
    world.commit(alarm_record({}, LOW_BATTERY=1), seq=9, t_ms=SOON_T_MS + 240_000)
    world.commit(accepted_record(), seq=5, t_ms=SOON_T_MS)
    assert world.query("SELECT acceptance_lapses_utc_ms FROM episodes WHERE state = 'accepted'") == [
        (NOW_MS + 360_000,)
    ]


def test_a_second_record_is_a_new_acceptance_because_the_wearable_writes_none_while_one_counts(world):
    raised(world)
    reply(world, tokens(world)[0])
    world.commit(accepted_record("nurse-9"), t_ms=SOON_T_MS, received_ms=NOW_MS + 90_000)
    assert [(row[0], row[2], row[4]) for row in rows(world)] == [
        ("Maria", "left", "renewed"),
        ("nurse-9", "", ""),
    ]
    assert state(world) == ("accepted", "nurse-9")
    assert world.query("SELECT max(acceptance_lapses_utc_ms) FROM episodes") == [(NOW_MS + 690_000,)]


def test_a_record_that_comes_after_its_time_is_kept_and_covers_nothing(world):
    world.commit(alarm_record({}, HYPOXAEMIA=3))
    world.commit(alarm_record({}, LOW_BATTERY=1), seq=9, t_ms=2_000_000)
    world.commit(accepted_record(), seq=5, t_ms=120_000)
    assert rows(world) == [("nurse-1", "wearable", "", None, "lapsed")] and world.query(
        "SELECT state FROM episodes WHERE alarm = 3"
    ) == [("open",)]


def test_the_late_record_of_an_earlier_episode_does_not_cover_the_present_one(world):
    world.commit(alarm_record({}, HYPOXAEMIA=3), seq=10, t_ms=SOON_T_MS - 9000)
    world.commit(alarm_record({"HYPOXAEMIA": 3}, HYPOXAEMIA=0), seq=20, t_ms=SOON_T_MS - 6000)
    world.commit(alarm_record({}, HYPOXAEMIA=3), seq=30, t_ms=SOON_T_MS - 3000)
    world.commit(accepted_record(), seq=15, t_ms=SOON_T_MS - 7000)
    assert state(world)[0] == "open" and rows(world) == [("nurse-1", "wearable", "", None, "over")]


def test_a_record_before_a_rise_covers_nothing_whatever_the_order(world):
    world.commit(alarm_record({}, HYPOXAEMIA=2), seq=10, t_ms=SOON_T_MS - 9000)
    world.commit(alarm_record({"HYPOXAEMIA": 2}, HYPOXAEMIA=3), seq=20, t_ms=SOON_T_MS - 6000)
    world.commit(accepted_record(priority=2), seq=15, t_ms=SOON_T_MS - 7000)
    assert state(world)[0] == "open" and rows(world)[0][4] == "rise"


def test_a_record_of_an_alarm_that_is_not_known_is_left_alone(world):
    world.commit(accepted_record(alarm=codes.FEVER), t_ms=SOON_T_MS)
    assert rows(world) == []


def test_the_acceptance_of_the_patients_call_is_told_and_then_it_ends(world):
    raised(world, PATIENT_BUTTON=2)
    world.commit(
        accepted_record("nurse-9", 2, codes.PATIENT_BUTTON),
        alarm_record({"PATIENT_BUTTON": 2}, PATIENT_BUTTON=0),
        t_ms=SOON_T_MS,
    )
    assert state(world) == ("closed", "nurse-9")
    assert [one["acceptance"]["who"] for one in messages(world, "accepted")] == ["nurse-9"]


def test_an_acceptance_stays_for_history_after_everything(world):
    raised(world)
    reply(world, tokens(world)[0])
    world.store.write_now(lambda tx: end_binding(tx, 1, "moved", NOW_MS))
    found = world.store.read_now(lambda tx: list(store.all_acceptances(tx, 1, None)))
    assert [(one.who, about) for one, about in found] == [("Maria", (codes.HYPOXAEMIA, "alarm", False))]
    assert world.store.write_now(lambda tx: accepting.end_finished(tx, NOW_MS))[0][1] == "over"
