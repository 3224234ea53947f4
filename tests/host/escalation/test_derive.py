"""Episodes and outbox rows in the commit of their records: every rise is told once, nothing without its row."""

import pytest
from crs_core import codes
from crs_core.codes import PRIORITY_HIGH
from crs_core.journal import record_types

from host_agent.store.host_alarms import end_alarm, raise_alarm
from host_agent.text import local_time
from tests.host.escalation.world import (
    BINDING_ID,
    BOOT_UTC_MS,
    DEVICE_ID,
    JOURNAL_ID,
    NOW_MS,
    RULE_HASH,
    World,
    alarm_record,
    grade_record,
    state_with,
)


def clock(utc_ms):
    return local_time(utc_ms, with_seconds=False)


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.store.close()


def without_code(event):
    """An event without the one-time code, which is another one in each message."""
    return {key: value for key, value in event.items() if key != "accept"}


def test_a_raise_is_one_event_per_target_with_all_that_a_receiver_needs(world):
    world.commit(alarm_record({}, HYPOXAEMIA=3))
    event = without_code(world.outbox("ward")[0])
    assert event == {
        "schema": "cytowatch.event/1",
        "key": f"{DEVICE_ID.hex()}-{JOURNAL_ID.hex()}-0-1-alarm-3",
        "notice": "Research prototype, not a medical device.",
        "simulated": False,
        "priority": "HIGH",
        "kind": "alarm",
        "name": "HYPOXAEMIA",
        "title": (
            title := f"URGENT {clock(BOOT_UTC_MS + 60_000)} (late by 59 min), P-1 (Bed 3): oxygen low."
        ),
        "text": f"{title} Look at the patient now. Care team 555-0100. Emergency 112.",
        "language": "en",
        "to_accept": "I look after it",
        "to_call": [
            {"label": "Care team 555-0100", "number": "555-0100"},
            {"label": "Emergency 112", "number": "112"},
        ],
        "about": {"patient": "P-1", "wearable": "Bed 3", "unit": "C"},
        "facts": {},
        "made_at": "2023-11-14T22:13:20.000Z",
        "detail": "",
        "alarm": {"id": 3, "name": "HYPOXAEMIA", "priority": "HIGH", "host": False},
        "grade": None,
        "values": dict.fromkeys(
            ("temperature_cc", "site", "spo2_tenths", "heart_rate_bpm", "temperature_age_ms", "ppg_age_ms")
        ),
        "signed": None,
        "device": {"id": DEVICE_ID.hex(), "name": "Bed 3"},
        "patient": {"id": "P-1", "binding_id": BINDING_ID.hex(), "day": 4, "label": None},
        "call": {"care_team": "555-0100", "emergency": "112"},
        "source": {"journal_id": JOURNAL_ID.hex(), "branch": 0, "seq": 1, "boot": 1, "t_ms": 60_000},
        "occurred_at": "2023-11-14T21:14:20.000Z",
        "time_bound_ms": 46,
        "audit_head": None,
    }
    (same,) = map(without_code, world.outbox("study"))
    assert same == event and BOOT_UTC_MS + 60_000 == 1_699_996_460_000


def test_rises_are_told_and_falls_ends_and_repeats_are_not(world):
    world.commit(alarm_record({}, HYPOXAEMIA=2))
    world.commit(alarm_record({"HYPOXAEMIA": 2}, HYPOXAEMIA=3))
    world.commit(alarm_record({"HYPOXAEMIA": 3}, HYPOXAEMIA=2))
    world.commit(alarm_record({"HYPOXAEMIA": 2}, HYPOXAEMIA=0))
    world.commit(alarm_record({}, HYPOXAEMIA=2))
    assert world.told() == [("HYPOXAEMIA", "MEDIUM"), ("HYPOXAEMIA", "HIGH"), ("HYPOXAEMIA", "MEDIUM")]


def test_a_raise_after_a_lost_end_is_told(world):
    world.commit(alarm_record({}, PULSE_LOST=3))
    world.commit(alarm_record({}, PULSE_LOST=3), seq=40)
    assert world.told() == [("PULSE_LOST", "HIGH")] * 2


def test_a_state_that_cannot_be_read_counts_as_nothing_before(world):
    broken = alarm_record({}, FEVER=2)._replace(state_before=b"\xff\xff")
    world.commit(broken)
    assert world.told() == [("FEVER", "MEDIUM")]


def test_several_alarms_in_one_record_are_several_events(world):
    world.commit(alarm_record({"SPO2_LOST": 2}, FEVER=2, LIFE_THREATENING=3, SPO2_LOST=0))
    assert world.told() == [("FEVER", "MEDIUM"), ("LIFE_THREATENING", "HIGH")]


def test_the_same_block_again_adds_nothing(world):
    world.commit(alarm_record({}, FEVER=2), seq=1)
    world.commit(alarm_record({}, FEVER=2), seq=1)
    assert len(world.query("SELECT 1 FROM outbox")) == 2 and len(world.query("SELECT 1 FROM episodes")) == 1


def test_an_episode_lasts_from_raise_to_end_with_its_peak(world):
    world.commit(alarm_record({}, HYPOXAEMIA=2))
    world.commit(alarm_record({"HYPOXAEMIA": 2}, HYPOXAEMIA=3))
    rows = world.query("SELECT kind, alarm, priority, peak_priority, state FROM episodes")
    assert rows == [("alarm", codes.HYPOXAEMIA, 3, 3, "open")]
    world.commit(alarm_record({"HYPOXAEMIA": 3}, HYPOXAEMIA=0))
    assert world.query("SELECT priority, peak_priority, state FROM episodes") == [(0, 3, "closed")]
    world.commit(alarm_record({}, HYPOXAEMIA=2))
    assert world.query("SELECT peak_priority, state FROM episodes ORDER BY id") == [
        (3, "closed"),
        (2, "open"),
    ]
    assert world.query("SELECT count(DISTINCT episode) FROM outbox WHERE episode IS NOT NULL") == [(2,)]


def test_late_records_lead_to_the_same_episodes(world):
    world.commit(alarm_record({"FEVER": 2}, FEVER=0), seq=20)
    world.commit(alarm_record({}, FEVER=2), seq=10)
    assert world.told() == [("FEVER", "MEDIUM")]
    assert world.query("SELECT state, priority, peak_priority FROM episodes") == [("closed", 0, 2)]


def test_an_acceptance_never_covers_more_than_was_seen(world):
    world.commit(alarm_record({}, HYPOXAEMIA=2))
    world.commit(record_types.Accepted(codes.HYPOXAEMIA, 2, 0x11, "nurse"), t_ms=3_540_000)
    state = "SELECT state, accepted_by FROM episodes"
    assert world.query(state) == [("accepted", "nurse")]
    world.commit(alarm_record({"HYPOXAEMIA": 2}, HYPOXAEMIA=3))
    assert world.query(state)[0][0] == "open"
    world.commit(record_types.Accepted(codes.HYPOXAEMIA, 2, 0x11, "nurse"), t_ms=3_550_000)
    assert world.query(state)[0][0] == "open", "accepted at MEDIUM, but it is HIGH now"


def test_grade_rises_only_above_the_episodes_peak(world):
    for lower in (None, 0, 1, None, 1, 0, 2, 1, 2, 3):
        world.commit(grade_record(lower, {None: None, 3: 3}.get(lower, 4)))
    rises = [(event["grade"]["lower"], event["priority"]) for event in world.outbox()]
    assert rises == [(1, "MEDIUM"), (2, "HIGH"), (3, "HIGH")]


def test_a_grade_rise_says_interval_missing_and_unsigned_and_never_a_bare_number(world):
    world.commit(grade_record(1))
    event = world.outbox()[0]
    assert event["kind"] == "grade_rise" and event["key"].endswith("-1-grade")
    assert event["text"] == (
        f"ALARM {clock(BOOT_UTC_MS + 60_000)} (late by 59 min), P-1 (Bed 3): the grade rose to at least 1."
        " Call the care team now. Care team 555-0100. Emergency 112.\n"
        "CRS (ASTCT 2019): at least 1, could be up to 4. Not known: blood pressure, oxygen. Not signed."
    )
    assert event["grade"] == {
        "scale": "ASTCT-2019", "lower": 1, "upper": 4, "status": "provisional", "signed": False, "fever": "met",
        "reasons": [{"code": 1, "text": "Temperature at or above 38.00 °C."}],
        "missing": ["blood_pressure", "oxygen"], "temp_age_ms": 1000, "ppg_age_ms": None,
        "rule_hash": RULE_HASH.hex(),
    }  # fmt: skip


@pytest.mark.parametrize("lower", [5, 9])
def test_a_grade_beyond_4_is_never_passed_on_as_a_grade(world, lower):
    world.commit(grade_record(lower, lower))
    assert world.told() == []


def test_simulated_events_are_withheld_where_they_are_not_accepted(world):
    world.commit(alarm_record({}, FEVER=2), simulated=True)
    world.commit(grade_record(1), simulated=True)
    rows = world.query("SELECT target, state, simulated, last_error FROM outbox ORDER BY id")
    reason = "simulated; this receiver does not accept simulations"
    assert rows == [("ward", "withheld", 1, reason), ("study", "pending", 1, "")] * 2
    for event in world.outbox():
        assert event["simulated"] is True and event["text"].startswith("SIMULATED. ")


def test_an_unbound_journal_escalates_nothing(tmp_path):
    world = World(tmp_path, bound=False)
    world.commit(alarm_record({}, FEVER=2))
    assert world.told() == [] and world.query("SELECT 1 FROM episodes") == []
    assert len(world.query("SELECT 1 FROM events")) == 1, "quarantined, not lost"
    world.store.close()


def test_records_and_rows_stand_or_fall_together(world, monkeypatch):
    def broken(*_):
        raise RuntimeError("bug")

    monkeypatch.setattr(world.escalation, "post", broken)
    with pytest.raises(RuntimeError):
        world.commit(alarm_record({}, FEVER=2), seq=1)
    for table in ("events", "episodes", "outbox", "alarm_changes"):
        assert world.query(f"SELECT 1 FROM {table}") == [], table
    monkeypatch.undo()
    world.commit(alarm_record({}, FEVER=2), seq=1)
    assert world.told() == [("FEVER", "MEDIUM")]


def test_an_alarm_open_since_before_the_binding_is_told_by_the_first_state_record(world):
    state = state_with(SENSOR_FAULT=1)
    world.commit(record_types.GraderState(3, RULE_HASH, state, b""))
    assert world.told() == [("SENSOR_FAULT", "LOW")]
    world.commit(record_types.GraderState(1, RULE_HASH, state, b""))
    world.commit(alarm_record({"SENSOR_FAULT": 1}, SENSOR_FAULT=0))
    assert world.told() == [("SENSOR_FAULT", "LOW")]
    assert world.query("SELECT state FROM episodes") == [("closed",)]


def raise_host_alarm(world, alarm, priority, detail, *, after_ms=0, device=1):
    world.store.write_now(
        lambda tx: raise_alarm(
            tx, world.escalation, device=device, alarm=alarm, priority=priority, detail=detail, utc_ms=NOW_MS + after_ms
        )
    )  # fmt: skip


def test_host_alarms_have_episodes_keys_of_their_own_and_rise(world):
    raise_host_alarm(world, codes.STALE_DATA, 1, "newest data is 3 min old")
    raise_host_alarm(world, codes.STALE_DATA, 1, "again", after_ms=1)
    raise_host_alarm(world, codes.STALE_DATA, PRIORITY_HIGH, "older", after_ms=2)
    assert world.told() == [("STALE_DATA", "LOW"), ("STALE_DATA", "HIGH")]
    keys = [event["key"] for event in world.outbox()]
    assert keys == [f"{DEVICE_ID.hex()}-host-41-{NOW_MS}-1", f"{DEVICE_ID.hex()}-host-41-{NOW_MS}-3"]
    first = world.outbox()[0]
    assert first["text"] == (
        f"NOTICE {clock(NOW_MS)}, P-1 (Bed 3): nothing new arrives from the wearable."
        " Look at the patient and the strap. Care team 555-0100. Emergency 112."
    )
    assert first["alarm"]["host"] is True and first["source"] is None and first["patient"]["id"] == "P-1"
    world.store.write_now(
        lambda tx: end_alarm(tx, world.escalation, device=1, alarm=codes.STALE_DATA, utc_ms=NOW_MS + 3)
    )
    assert world.query("SELECT kind, state, peak_priority FROM episodes") == [("host", "closed", 3)]
    assert len(world.told()) == 2


def test_an_alarm_of_the_agent_itself_reaches_the_targets(world):
    raise_host_alarm(world, codes.STORE_FAULT, 3, "full", device=None)
    event = world.outbox()[0]
    assert event["device"] is None and event["key"] == f"agent-host-46-{NOW_MS}-3"


def test_a_host_alarm_of_a_simulated_wearable_is_simulated(world):
    world.store.write_now(lambda tx: tx.execute("UPDATE devices SET simulated = 1"))
    raise_host_alarm(world, codes.FORK, 3, "x")
    assert world.outbox()[0]["simulated"] is True
    assert world.query("SELECT state FROM outbox WHERE target = 'ward'") == [("withheld",)]


def test_a_record_without_a_time_is_told_without_one(tmp_path):
    world = World(tmp_path)
    world.store.write_now(lambda tx: tx.execute("DELETE FROM time_marks"))
    world.commit(alarm_record({}, FEVER=2))
    event = world.outbox()[0]
    assert event["occurred_at"] is None and event["time_bound_ms"] is None
    world.store.close()
