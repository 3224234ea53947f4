"""Everyone who was told is told who accepted; a code in a message accepts once; what goes on is unaccepted again."""

import hashlib
import json

import pytest
from crs_core import codes

from host_agent.escalation.acceptance.replies import TOKEN_MS
from host_agent.escalation.checks.lapses import LapseCheck
from host_agent.store import acceptances as store
from host_agent.store.bindings import end_binding
from host_agent.store.undelivered import unreached
from host_agent.views.standing_rows import standing_rows
from tests.fakes.fake_clock import FakeClock
from tests.host.escalation.acceptance_world import SOON_T_MS, messages, raised, reply, state, tokens
from tests.host.escalation.world import NOW_MS, World, alarm_record, grade_record


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.store.close()


# --- telling


def test_everyone_who_was_told_is_told_once_who_accepted_under_the_same_key(world):
    raised(world)
    world.store.write_now(
        lambda tx: tx.execute("UPDATE outbox SET state = 'delivered' WHERE target = 'ward'")
    )
    key = world.outbox()[0]["key"]
    reply(world, tokens(world)[0])
    rows = world.query(
        "SELECT target, event_key, priority, state FROM outbox WHERE event_key LIKE '%-accepted-%'"
    )
    assert rows == [("study", f"{key}-accepted-1", 1, "pending"), ("ward", f"{key}-accepted-1", 1, "pending")]
    (message,) = messages(world, "accepted", "ward")
    assert (message["key"], message["priority"], message["alarm"]["priority"]) == (key, "LOW", "HIGH")
    assert "accept" not in message and message["acceptance"]["who"] == "Maria"
    text = message["text"]
    assert text.startswith("ACCEPTED ") and "P-1 (Bed 3): Maria accepted the alarm of " in text
    assert ": oxygen low. It still stands." in text and text.endswith("Care team 555-0100. Emergency 112.")
    assert "HYPOXAEMIA" not in text and message["acceptance"]["signed"] is False


def test_who_was_never_told_of_the_alarm_is_told_nothing(world):
    world.commit(alarm_record({}, HYPOXAEMIA=3), simulated=True, t_ms=SOON_T_MS)
    reply(world, tokens(world)[0])
    assert len(messages(world, "accepted", "study")) == 1 and messages(world, "accepted", "ward") == []
    assert tokens(world, "ward") == [], "what is withheld has no code"
    assert messages(world, "accepted")[0]["text"].startswith("SIMULATED. ACCEPTED ")


def test_after_a_rise_the_message_follows_the_newest_event(world):
    raised(world, HYPOXAEMIA=2)
    reply(world, tokens(world)[0])
    world.commit(alarm_record({"HYPOXAEMIA": 2}, HYPOXAEMIA=3), t_ms=SOON_T_MS)
    assert state(world)[0] == "open"
    reply(world, tokens(world)[-1], "Jo")
    first, second = messages(world, "accepted")
    assert first["key"] == world.outbox()[0]["key"] != second["key"]
    keys = [row[0] for row in world.query("SELECT event_key FROM outbox WHERE target = 'study' ORDER BY id")]
    assert keys[-1] == f"{second['key']}-accepted-2"


def test_a_grade_that_rises_from_high_to_high_is_not_covered(world):
    world.commit(grade_record(2), t_ms=SOON_T_MS)
    reply(world, tokens(world)[0])
    assert state(world) == ("accepted", "Maria")
    assert "Every further rise alarms again." in messages(world, "accepted")[0]["text"]
    world.commit(grade_record(3), t_ms=SOON_T_MS)
    assert state(world)[0] == "open"


async def test_an_accepted_grade_rise_never_lapses_because_it_is_no_condition_that_lasts(world):
    world.commit(grade_record(2), t_ms=SOON_T_MS)
    reply(world, tokens(world)[0])
    await look(world, NOW_MS + 1_800_001)
    assert state(world) == ("accepted", "Maria") and messages(world, "reminder") == []
    (row,) = world.store.read_now(lambda tx: standing_rows(tx, NOW_MS + 1_800_001))
    assert row["acceptance"]["who"] == "Maria"
    world.commit(grade_record(3), t_ms=SOON_T_MS, received_ms=NOW_MS + 1_900_000)
    await look(world, NOW_MS + 1_900_000)
    assert world.query("SELECT ended_by FROM acceptances") == [("rise",)]


# --- codes


def test_every_message_has_a_code_of_its_own_and_the_store_knows_its_hash_alone(world):
    raised(world)
    found = [*tokens(world), *tokens(world, "ward")]
    assert len(set(found)) == 2
    hashes = {row[0] for row in world.query("SELECT hash FROM reply_tokens")}
    assert hashes == {hashlib.sha256(one.encode()).digest() for one in found}
    assert world.outbox()[0]["accept"]["until"] == "2023-11-15T22:13:20.005Z"


def test_a_code_is_good_once_and_says_who_used_it(world):
    raised(world)
    (token,) = tokens(world)
    assert reply(world, f" {token.upper()} ").why == ""
    again = reply(world, token, "Eve")
    assert (again.made, again.why) == (None, "used") and "Maria accepted it at " in again.text
    assert state(world) == ("accepted", "Maria")
    assert world.query("SELECT value FROM counters WHERE name = 'reply_refused_used'") == [(1,)]


def test_whoever_comes_second_is_told_who_was_first_and_nobody_is_told_twice(world):
    raised(world)
    reply(world, tokens(world)[0])
    second = reply(world, tokens(world, "ward")[0], "Jo", NOW_MS + 1000)
    assert second.why == "" and second.text.startswith("Maria accepted it at ")
    assert state(world) == ("accepted", "Maria") and len(messages(world, "accepted")) == 1


@pytest.mark.parametrize(
    "token", ["", "x", "a" * 24, "A" * 24, "0" * 24, "'; DROP TABLE episodes", None, 7, "ä" * 24, "a" * 10_000]
)  # fmt: skip
def test_a_code_that_nobody_was_sent_accepts_nothing(world, token):
    raised(world)
    assert reply(world, token).why == "unknown" and state(world)[0] == "open"


def test_a_code_is_good_for_its_own_alarm_alone(world):
    raised(world)
    raised(world, FEVER=2)
    oxygen, fever = world.outbox()
    assert reply(world, oxygen["accept"]["token"], event_key=fever["key"]).why == "other_event"
    assert reply(world, oxygen["accept"]["token"], event_key=oxygen["key"]).why == ""
    assert world.query("SELECT alarm FROM episodes WHERE state = 'accepted'") == [(codes.HYPOXAEMIA,)]


def test_an_alarm_that_ended_cannot_be_accepted_by_its_code(world):
    raised(world)
    world.commit(alarm_record({"HYPOXAEMIA": 3}, HYPOXAEMIA=0), t_ms=SOON_T_MS)
    assert reply(world, tokens(world)[0]).why == "alarm_ended"
    raised(world)
    assert reply(world, tokens(world)[0]).why == "alarm_ended", "the same condition began anew"
    assert state(world)[0] == "open"


def test_an_alarm_that_rose_cannot_be_accepted_by_an_older_code(world):
    raised(world, HYPOXAEMIA=2)
    world.commit(alarm_record({"HYPOXAEMIA": 2}, HYPOXAEMIA=3), t_ms=SOON_T_MS)
    old, new = tokens(world)
    assert reply(world, old).why == "alarm_rose" and reply(world, new).why == ""


def test_the_alarm_of_a_patient_who_was_handed_over_cannot_be_accepted(world):
    raised(world)
    world.store.write_now(lambda tx: end_binding(tx, 1, "moved", NOW_MS))
    assert reply(world, tokens(world)[0]).why == "alarm_ended"


@pytest.mark.parametrize("away_ms", [TOKEN_MS + 5, -120_000])
def test_a_code_is_good_for_a_day_and_not_before_it_was_made(world, away_ms):
    raised(world)
    world.store.write_now(lambda tx: tx.execute("UPDATE episodes SET opened_utc_ms = 0"))
    assert reply(world, tokens(world)[0], now_ms=NOW_MS + away_ms).why == "too_old"


@pytest.mark.parametrize(
    ("who", "kept"), [("", "study"), ("  ", "study"), ("Zoë\u202e\n", "Zoë\\u202e\\u000a"), ("x" * 200, "x" * 64)]
)  # fmt: skip
def test_a_name_from_outside_is_made_readable_and_short(world, who, kept):
    raised(world)
    reply(world, tokens(world)[0], who)
    assert state(world) == ("accepted", kept)


def test_the_code_of_one_receiver_is_not_given_to_another(world):
    raised(world)
    world.store.write_now(lambda tx: tx.execute("UPDATE outbox SET target = 'gone ' || target"))
    world.store.write_now(lambda tx: world.escalation.address_again(tx, NOW_MS))
    found = [
        token for target in ("ward", "study", "gone ward", "gone study") for token in tokens(world, target)
    ]
    assert len(set(found)) == 4


# --- lapse


async def look(world, now_ms):
    clock = FakeClock(utc_ms=now_ms)
    await LapseCheck(world.store, world.escalation, clock).look()


async def test_an_alarm_that_goes_on_is_unaccepted_again_and_told(world):
    raised(world)
    reply(world, tokens(world)[0])
    await look(world, NOW_MS + 599_999)
    assert state(world)[0] == "accepted" and messages(world, "reminder") == []
    await look(world, NOW_MS + 600_000)
    assert state(world)[0] == "open"
    (message,) = messages(world, "reminder")
    assert message["priority"] == "HIGH" and message["text"].startswith("URGENT ")
    assert "Maria accepted it at " in message["text"] and "accept it again" in message["text"]
    await look(world, NOW_MS + 700_000)
    assert len(messages(world, "reminder")) == 1
    late = world.store.read_now(
        lambda tx: unreached(tx, NOW_MS + 900_000, limits_ms={3: 120_000}, since_ms=0, without_alarm=51)
    )
    assert {row.alarm for row in late} == {codes.HYPOXAEMIA}, "it must reach somebody again"


@pytest.mark.parametrize("by_ms", [3_600_000, -3_600_000, 30_000, -30_000])
async def test_who_sets_the_wall_clock_makes_an_acceptance_neither_longer_nor_shorter(world, by_ms):
    raised(world)
    reply(world, tokens(world)[0])
    clock = FakeClock(utc_ms=NOW_MS)
    check = LapseCheck(world.store, world.escalation, clock)
    await check.look()
    clock.set(by_ms)
    await clock.advance(599)
    await check.look()
    assert state(world)[0] == "accepted" and messages(world, "reminder") == []
    await clock.advance(1)
    await check.look()
    assert state(world)[0] == "open" and len(messages(world, "reminder")) == 1


async def test_an_acceptance_that_ended_with_its_alarm_is_told_to_nobody(world):
    raised(world)
    reply(world, tokens(world)[0])
    world.commit(alarm_record({"HYPOXAEMIA": 3}, HYPOXAEMIA=0), t_ms=SOON_T_MS)
    await look(world, NOW_MS + 600_000)
    assert messages(world, "reminder") == []
    assert world.query("SELECT ended_by, wearable FROM acceptances") == [("over", "left")]


async def test_who_accepts_after_a_lapse_is_told_to_all_again(world):
    raised(world)
    reply(world, tokens(world)[0])
    await look(world, NOW_MS + 600_000)
    reply(world, tokens(world, "ward")[0], "Jo", NOW_MS + 601_000)
    assert state(world) == ("accepted", "Jo")
    assert [one["acceptance"]["who"] for one in messages(world, "accepted")] == ["Maria", "Jo"]


async def test_an_acceptance_never_counts_as_having_reached_somebody(world):
    raised(world)
    reply(world, tokens(world)[0])
    delivered = "UPDATE outbox SET state = 'delivered' WHERE event_key LIKE '%-accepted-1'"
    world.store.write_now(lambda tx: tx.execute(delivered))
    await look(world, NOW_MS + 600_000)
    found = world.store.read_now(
        lambda tx: unreached(tx, NOW_MS + 600_001, limits_ms={3: 120_000}, since_ms=0, without_alarm=51)
    )
    assert {1, 2} <= {row.id for row in found}, "the alarm itself reached nobody"


def test_a_message_is_the_same_at_every_attempt(world):
    raised(world)
    reply(world, tokens(world)[0])
    one = world.store.read_now(lambda tx: store.acceptances_of(tx, 1))[0]
    before = [json.dumps(event) for event in world.outbox()]
    world.store.write_now(lambda tx: world.escalation.accepted(tx, one))
    assert [json.dumps(event) for event in world.outbox()] == before
