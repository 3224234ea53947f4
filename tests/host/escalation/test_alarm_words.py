"""Every text of an alarm says who, what, when, what to do and both numbers, and nothing that only an engineer reads."""

import re

import pytest
from crs_core import code_texts, codes, units
from crs_core.grade import alarm_state
from crs_core.grade.alarms import Inputs

from host_agent.escalation.alarm_words import NO_VALUES, Values, When, alarm_words, values_of
from host_agent.patient.contact import Contact
from host_agent.store.devices import ensure_device
from host_agent.store.host_alarms import raise_alarm
from host_agent.text import local_time
from tests.host.escalation.world import BOOT_UTC_MS, NOW_MS, World, alarm_record

BED = Contact("JS-60", "Bed 3", "555-0100", "112")
AT = local_time(NOW_MS, with_seconds=False)
MEASURED = Values(3847, units.SITE_AXILLA, 860, 131)
INPUTS = Inputs(
    3847, units.TEMP_VALID, 500, 864, 131, 150, units.PPG_VALID, 500, units.WEAR_WORN, units.SITE_AXILLA, 1, 0, 0,
    *[0] * (len(Inputs._fields) - 13),
)  # fmt: skip


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.store.close()


def words(alarm, priority=3, contact=BED, now_ms=NOW_MS, **change):
    return alarm_words(alarm, priority, contact, When(NOW_MS, now_ms), **{"simulated": False, **change})


@pytest.mark.parametrize(
    "alarm, priority, values, expected",
    [
        (codes.HYPOXAEMIA, 3, MEASURED, "URGENT {}, JS-60 (Bed 3): oxygen low: 86 %. Look at the patient now. {}"),
        (codes.FEVER, 2, MEASURED,
         "ALARM {}, JS-60 (Bed 3): fever: 38.4 °C (101.2 °F), armpit sensor. Call the care team now. {}"),
        (codes.LIFE_THREATENING, 3, MEASURED,
         "URGENT {}, JS-60 (Bed 3): a life-threatening pattern of signs: temperature 38.4 °C (101.2 °F), armpit sensor,"
         " oxygen 86 %, heart rate 131/min. Get help now and say: CAR-T patient. {}"),
        (codes.LOW_BATTERY, 1, MEASURED,
         "NOTICE {}, JS-60 (Bed 3): the battery of the wearable is low. Charge it now. {}"),
        (codes.HYPOXAEMIA, 3, Values(None, units.SITE_NONE, 970, 84),
         "URGENT {}, JS-60 (Bed 3): oxygen low. Look at the patient now. {}"),
        (codes.FEVER, 2, Values(3640, units.SITE_AXILLA, None, None),
         "ALARM {}, JS-60 (Bed 3): fever. Call the care team now. {}"),
        (codes.NO_DATA, 2, Values(3640, units.SITE_AXILLA, None, None),
         "ALARM {}, JS-60 (Bed 3): values are missing: oxygen not measured. Check the strap and take the"
         " temperature by hand. {}"),
        (codes.NO_DATA, 1, Values(),
         "NOTICE {}, JS-60 (Bed 3): values are missing: temperature and oxygen not measured. Check the strap and"
         " take the"
         " temperature by hand. {}"),
        (codes.NO_DATA, 1, NO_VALUES,
         "NOTICE {}, JS-60 (Bed 3): values are missing. Check the strap and take the temperature by hand. {}"),
    ],
    ids=["value", "both units", "all values", "LOW", "not low", "by hand", "missing", "both missing", "no record"],
)  # fmt: skip
def test_a_text_says_who_what_when_what_to_do_and_whom_to_call(alarm, priority, values, expected):
    assert words(alarm, priority, values=values) == expected.format(AT, "Care team 555-0100. Emergency 112.")


@pytest.mark.parametrize("alarm", sorted(code_texts.ALARM_NAMES))
@pytest.mark.parametrize("values", [NO_VALUES, MEASURED], ids=["not measured", "measured"])
@pytest.mark.parametrize("detail", ["", "a/b.py: entry 12 of host_alarms"])
def test_every_alarm_carries_both_numbers_the_patient_and_no_word_for_engineers(alarm, values, detail):
    for priority in (1, 2, 3):
        text = words(alarm, priority, values=values, detail=detail)
        assert text.endswith(" Care team 555-0100. Emergency 112.") and "JS-60 (Bed 3)" in text and AT in text
        assert not re.search(r"[{}_]|None", text.replace(detail, "") if detail else text)
        if alarm not in (
            codes.PROMPT_MISSED,
            codes.NO_DATA_YET,
            codes.STALE_DATA,
            codes.FUTURE_DATA,
            codes.NOT_BACK,
        ):
            assert not detail or detail not in text


def test_a_number_that_is_not_known_is_said_and_not_left_out():
    assert words(codes.FEVER, contact=Contact("P-1", "Bed 3")).endswith(
        "Care team NUMBER NOT SET. Emergency NUMBER NOT SET."
    )
    assert words(codes.FEVER, contact=Contact("P-1", "Bed 3", "", "112")).endswith(
        "NUMBER NOT SET. Emergency 112."
    )


def test_a_text_that_is_old_says_how_old_and_on_another_day_its_date():
    assert f" {AT} (2 min ago), " in words(codes.FEVER, now_ms=NOW_MS + 120_000)
    late = words(codes.FEVER, now_ms=NOW_MS + 26 * 3_600_000)
    assert f" {local_time(NOW_MS, with_date=True, with_seconds=False)} (1 d 2 h ago), " in late
    assert "at a time not known" in alarm_words(codes.FEVER, 2, BED, When(None, NOW_MS), simulated=False)
    assert f" {AT}, " in words(codes.FEVER, now_ms=NOW_MS - 5_000)
    for ahead_ms in (31_000, 5_000_000, 48 * 3_600_000):
        assert " at a time not known, " in words(codes.FEVER, now_ms=NOW_MS - ahead_ms), "the clock went back"


def test_simulated_and_unknown_alarms_and_no_patient_are_said():
    assert words(codes.FEVER, simulated=True).startswith("SIMULATED. URGENT ")
    assert "an alarm that this laptop does not know. Look at the patient now." in words(250)
    assert "Bed 3, no patient bound: " in words(codes.LOW_BATTERY, contact=Contact("", "Bed 3", "1", "2"))
    assert "this laptop: " in words(codes.STORE_FAULT, contact=Contact())


def test_the_text_that_leaves_has_the_value_of_the_moment_of_the_alarm(world):
    world.commit(alarm_record({}, alarm_state.encode_inputs(INPUTS), HYPOXAEMIA=3))
    (event,) = world.outbox()
    at = local_time(BOOT_UTC_MS + 60_000, with_seconds=False)
    assert event["text"].startswith(f"URGENT {at} (late by 59 min), P-1 (Bed 3): oxygen low: 86.4 %.")
    assert event["call"] == {"care_team": "555-0100", "emergency": "112"}


def test_the_patients_own_number_takes_the_place_of_the_wearables(world):
    world.store.write_now(
        lambda tx: tx.execute("UPDATE bindings SET profile = profile || 'call_number=030 77\n'")
    )
    world.commit(alarm_record({}, FEVER=2))
    assert world.outbox()[0]["text"].endswith("Care team 030 77. Emergency 112.")


def test_a_wearable_that_never_told_its_numbers_is_said_to_have_none(world):
    world.store.write_now(lambda tx: tx.execute("UPDATE devices SET settings = ''"))
    world.commit(alarm_record({}, FEVER=2))
    assert "P-1 (bed 7): fever." in world.outbox()[0]["text"], (
        "without a name of its own it has that of the key"
    )
    assert world.outbox()[0]["text"].endswith("Care team NUMBER NOT SET. Emergency NUMBER NOT SET.")


def test_a_wearable_without_a_name_is_said_to_have_none(world):
    world.store.write_now(lambda tx: tx.execute("UPDATE devices SET settings = '', name = ''"))
    world.commit(alarm_record({}, FEVER=2))
    assert ", P-1 (a wearable without a name): fever." in world.outbox()[0]["text"]


def test_inputs_that_cannot_be_read_give_no_values():
    assert values_of(object()) == NO_VALUES and values_of(alarm_record({}, b"xx", FEVER=2)) == NO_VALUES


def test_the_unit_that_the_site_chose_comes_first_in_texts(world):
    world.store.write_now(lambda tx: tx.execute("UPDATE devices SET settings = settings || 'unit=F\n'"))
    world.commit(alarm_record({}, alarm_state.encode_inputs(INPUTS), FEVER=2))
    assert ": fever: 101.2 °F (38.4 °C), armpit sensor. " in world.outbox()[0]["text"]


def test_what_concerns_every_patient_here_has_the_numbers_of_each(world):
    def second(tx):
        device = ensure_device(tx, b"WEARABL2", NOW_MS, "bed 8")
        tx.execute(
            "UPDATE devices SET settings = 'emergency_number=112\npatient_call_number=77\n' WHERE id = ?",
            (device,),
        )
        tx.execute(
            "INSERT INTO bindings VALUES (2, x'0202020202020202', 1, ?, '', 'active', 0, NULL, '')", (device,)
        )

    world.store.write_now(second)
    world.store.write_now(
        lambda tx: raise_alarm(
            tx, world.escalation, device=None, alarm=codes.STORE_FAULT, priority=3, detail="a/b: full", utc_ms=NOW_MS
        )
    )  # fmt: skip
    (event,) = world.outbox("ward")
    assert (
        event["text"].endswith(" Care team 555-0100 or 77. Emergency 112.")
        and ", this laptop: " in event["text"]
    )
    assert event["detail"] == "a/b: full" and "a/b" not in event["text"]
