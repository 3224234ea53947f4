"""Everyone who was told is told who accepted; codes in messages accept once; records of the wearable double nothing."""

import hashlib
import json

import pytest
from crs_core import codes
from crs_core.journal import record_types

from host_agent.escalation.acceptance.from_wearable import on_the_wire
from host_agent.escalation.acceptance.replies import TOKEN_MS, accept_by_token
from host_agent.escalation.checks.lapses import LapseCheck
from host_agent.people import accepting
from host_agent.store import acceptances as store
from host_agent.store.bindings import end_binding
from host_agent.store.undelivered import unreached
from tests.fakes.fake_clock import FakeClock
from tests.host.escalation.world import BOOT_UTC_MS, NOW_MS, World, alarm_record, grade_record

HIGH, MEDIUM = codes.PRIORITY_HIGH, codes.PRIORITY_MEDIUM
SOON_T_MS = NOW_MS - BOOT_UTC_MS - 60_000  # a minute before it reaches the laptop


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.store.close()


def raised(world, **change):
    world.commit(alarm_record({}, **(change or {"HYPOXAEMIA": 3})), t_ms=SOON_T_MS - 1000)
    return world.query("SELECT max(id) FROM episodes")[0][0]


def tokens(world, target="study"):
    return [one["accept"]["token"] for one in world.outbox(target) if "accept" in one]


def reply(world, token, who="Maria", now_ms=NOW_MS, **change):
    """As a reply channel does it: accept, and tell everyone in the same transaction."""

    def take(tx):
        got = accept_by_token(tx, token, who, "ntfy", now_ms, **change)
        if got.made is not None:
            world.escalation.accepted(tx, got.made)
        return got

    return world.store.write_now(take)


def state(world):
    return world.query("SELECT state, accepted_by FROM episodes ORDER BY id DESC LIMIT 1")[0]


def messages(world, stage, target="study"):
    return [one for one in world.outbox(target) if one.get("stage") == stage]


def accepted_record(who="nurse-1", priority=3, alarm=codes.HYPOXAEMIA):
    return record_types.Accepted(alarm, priority, 0x11, who)


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


# --- records of the wearable


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
    until = world.query("SELECT acceptance_lapses_utc_ms FROM episodes")[0][0]
    assert NOW_MS + 530_000 < until < NOW_MS + 545_000, "from when the wearable took it"


def test_a_record_that_comes_after_its_time_is_kept_and_covers_nothing(world):
    world.commit(alarm_record({}, HYPOXAEMIA=3))
    world.commit(accepted_record(), t_ms=120_000)
    assert rows(world) == [("nurse-1", "wearable", "", None, "lapsed")] and state(world)[0] == "open"


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


def test_a_message_is_the_same_at_every_attempt(world):
    raised(world)
    reply(world, tokens(world)[0])
    one = world.store.read_now(lambda tx: store.acceptances_of(tx, 1))[0]
    before = [json.dumps(event) for event in world.outbox()]
    world.store.write_now(lambda tx: world.escalation.accepted(tx, one))
    assert [json.dumps(event) for event in world.outbox()] == before
