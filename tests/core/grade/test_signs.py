"""Which entry stands for which alarm, at which number; which prompt is due when; what a case alone would sound."""

import pytest
from crs_core import codes
from crs_core.grade import alarm_state as st
from crs_core.grade import case, entries, prompts, signs
from crs_core.grade.rules import DEFAULT

LIFE = st.TOLD_LIFE_THREATENING
HOUR = 3_600_000


@pytest.mark.parametrize(
    ("values", "bits"),
    [
        ({}, 0),
        ({"blood_pressure": "normal"}, 0),
        ({"blood_pressure": "hypotension"}, st.TOLD_HYPOTENSION | LIFE),
        ({"vasopressors": ["vasopressin"], "blood_pressure": "normal"}, st.TOLD_HYPOTENSION | LIFE),
        ({"vasopressors": []}, 0),
        ({"systolic_mmhg": 89, "age_months": 600}, st.TOLD_HYPOTENSION | LIFE),
        ({"systolic_mmhg": 90, "age_months": 600}, 0),
        ({"ice": 10}, 0),
        ({"ice": 9}, st.TOLD_ICE_LOW),
        ({"ice": 3}, st.TOLD_ICE_LOW),
        ({"ice": 2}, st.TOLD_ICE_LOW | LIFE),
        ({"capd": 8}, 0),
        ({"capd": 9}, st.TOLD_ICE_LOW | LIFE),
        ({"seizure": "none"}, 0),
        ({"seizure": "brief"}, LIFE),
        ({"consciousness": "touch"}, 0),
        ({"consciousness": "unarousable"}, LIFE),
        ({"motor_weakness": False}, 0),
        ({"motor_weakness": True}, LIFE),
        ({"oxygen": "room_air"}, 0),
        ({"oxygen": "nasal_cannula_low"}, st.TOLD_NEW_OXYGEN),
        ({"oxygen": "nasal_cannula_high"}, st.TOLD_NEW_OXYGEN | LIFE),
        ({"oxygen": "cpap"}, st.TOLD_NEW_OXYGEN | LIFE),
        ({"oxygen": "cpap", "ventilation_not_for_hypoxia": True}, 0),
        ({"oxygen": "nasal_cannula_low", "ventilation_not_for_hypoxia": True}, st.TOLD_NEW_OXYGEN),
        ({entries.RISING_NEED: True}, LIFE),
        ({"organ_grade": 2}, 0),
        ({"organ_grade": 3}, st.TOLD_ORGAN),
        ({"transaminase_grade": 3}, st.TOLD_ORGAN),
        ({"creatinine_grade": 4}, st.TOLD_ORGAN),
        ({"temperature_cc": 3799, "site": "oral"}, 0),
        ({"temperature_cc": 3800, "site": "skin"}, st.TOLD_FEVER),
        ({"death": "crs"}, st.TOLD_DEATH),
        ({"death": "icans"}, st.TOLD_DEATH),
        ({"death": "other"}, st.TOLD_DEATH),  # of whatever: a signed record stops the sound for this wearer
        ({"death": ""}, 0),
        # read by hand, each at the limits of the sensors
        ({"temperature_cc": 3899, "site": "oral"}, st.TOLD_FEVER),
        ({"temperature_cc": 3900, "site": "oral"}, st.TOLD_FEVER | st.TOLD_HOT),
        ({"hr_bpm": 120}, 0),
        ({"hr_bpm": 121}, st.TOLD_FAST_HEART),
        ({"spo2_tenths": 920}, 0),
        ({"spo2_tenths": 919}, st.TOLD_SPO2_MEDIUM),
        ({"spo2_tenths": 900}, st.TOLD_SPO2_MEDIUM),
        ({"spo2_tenths": 899}, st.TOLD_SPO2_MEDIUM | st.TOLD_SPO2_LOW),
        ({"spo2_tenths": 0}, st.TOLD_SPO2_MEDIUM | st.TOLD_SPO2_LOW),
    ],
)
def test_each_entry_has_its_sign_and_a_near_miss_has_none(values: dict, bits: int) -> None:
    assert signs.of(values, DEFAULT) == bits


def test_what_ran_out_still_sounds_and_asks_for_a_new_look() -> None:
    told = [["blood_pressure", "hypotension", 0, entries.LAPSED], ["seizure", "none", 0, entries.IN_FORCE]]
    bits = signs.of_entries(told, DEFAULT)
    assert bits == st.TOLD_HYPOTENSION | LIFE | st.TOLD_REASSESS
    told[0][3] = entries.IN_FORCE
    assert signs.of_entries(told, DEFAULT) == st.TOLD_HYPOTENSION | LIFE | st.TOLD_PRESSURE_KNOWN
    assert signs.of_entries([["blood_pressure", "normal", 0, 0]], DEFAULT) == st.TOLD_PRESSURE_KNOWN


def test_a_prompt_is_due_at_its_interval_and_missed_at_the_end_of_its_grace() -> None:
    last = DEFAULT.prompt_ms + DEFAULT.prompt_grace_ms
    for now_ms, due, missed in (
        (DEFAULT.prompt_ms - 1, [], []),
        (DEFAULT.prompt_ms, ["blood_pressure", "oxygen", "ice"], []),
        (last - 1, ["blood_pressure", "oxygen", "ice"], []),
        (last, [], ["blood_pressure", "oxygen", "ice"]),
    ):
        assert prompts.look({}, 1_000, None, now_ms + 1_000, DEFAULT) == (due, missed)


@pytest.mark.parametrize(
    ("key", "answered"),
    [
        ("context", ["blood_pressure", "oxygen", "ice"]),
        ("blood_pressure", ["blood_pressure"]),
        ("systolic_mmhg", ["blood_pressure"]),
        ("map_mmhg", ["blood_pressure"]),
        ("oxygen", ["oxygen"]),
        ("ice", ["ice"]),
        ("capd", ["ice"]),
        ("diastolic_mmhg", []),
        ("flow_lpm", []),
    ],
)
def test_each_prompt_is_answered_by_its_own_keys(key: str, answered: list) -> None:
    due, _ = prompts.look({key: DEFAULT.prompt_ms}, 0, None, DEFAULT.prompt_ms, DEFAULT)
    assert [name for name, _ in prompts.PROMPTS if name not in due] == answered


def test_a_fever_brings_the_next_prompt_forward_but_not_before_the_fever() -> None:
    short_ms, long_ms = DEFAULT.prompt_febrile_ms, DEFAULT.prompt_ms
    assert prompts.due_ms(1_000, None, DEFAULT) == 1_000 + long_ms
    assert prompts.due_ms(1_000, 0, DEFAULT) == 1_000 + short_ms
    assert prompts.due_ms(1_000, 1_001 + short_ms, DEFAULT) == 1_001 + short_ms
    assert prompts.due_ms(1_000, 5_000 + long_ms, DEFAULT) == 1_000 + long_ms


def test_a_missed_prompt_is_louder_once_a_fever_was_met() -> None:
    assert prompts.missed_priority([], 5) == codes.PRIORITY_NONE
    assert prompts.missed_priority(["ice"], None) == codes.PRIORITY_LOW
    assert prompts.missed_priority(["ice"], 0) == codes.PRIORITY_MEDIUM


@pytest.mark.parametrize(
    ("inputs", "alarms"),
    [
        ({}, ["NO_DATA:HIGH"]),
        ({"hr_bpm": 80}, []),
        ({"spo2_tenths": 920}, []),
        ({"spo2_tenths": 919}, ["HYPOXAEMIA:MEDIUM"]),
        ({"spo2_tenths": 900}, ["HYPOXAEMIA:MEDIUM"]),
        ({"spo2_tenths": 899}, ["HYPOXAEMIA:HIGH"]),
        ({"temperature_cc": 3749, "site": "axilla"}, []),
        ({"temperature_cc": 3750, "site": "axilla"}, ["POSSIBLE_FEVER:MEDIUM"]),
        ({"temperature_cc": 3750, "site": "axilla", "steroid": True}, []),
        ({"temperature_cc": 3800, "site": "axilla", "steroid": True}, ["FEVER:MEDIUM"]),
        ({"temperature_cc": 3900, "site": "oral", "hr_bpm": 120}, ["FEVER:MEDIUM"]),
        ({"temperature_cc": 3899, "site": "oral", "hr_bpm": 121}, ["FEVER:MEDIUM"]),
        ({"temperature_cc": 3900, "site": "oral", "hr_bpm": 121}, ["FEVER:MEDIUM", "LIFE_THREATENING:HIGH"]),
        ({"spo2_tenths": 899, "hr_bpm": 121}, ["HYPOXAEMIA:HIGH", "LIFE_THREATENING:HIGH"]),
        ({"spo2_tenths": 900, "hr_bpm": 121}, ["HYPOXAEMIA:MEDIUM"]),
        ({"hr_bpm": 121, "organ_grade": 3}, ["LIFE_THREATENING:HIGH"]),
        ({"hr_bpm": 121, "organ_grade": 2}, []),
        ({"hr_bpm": 80, "ice": 9}, ["ICE_LOW:MEDIUM"]),
        ({"hr_bpm": 80, "oxygen": "blow_by"}, ["NEW_OXYGEN:MEDIUM"]),
        ({"hr_bpm": 80, "seizure": "brief"}, ["LIFE_THREATENING:HIGH"]),
        ({"blood_pressure": "hypotension"}, ["LIFE_THREATENING:HIGH", "HYPOTENSION:HIGH"]),
        ({"death": "crs", "spo2_tenths": 600}, []),
        ({"death": "other", "spo2_tenths": 600}, []),
    ],
)
def test_a_case_sounds_what_would_sound_if_it_lasted(inputs: dict, alarms: list) -> None:
    said = case.assess(inputs)["alarms"]
    assert [alarm["name"] + ":" + alarm["priority"] for alarm in said] == alarms
