"""Which entry stands for which alarm, at which number; which prompt is due when; what a case alone would sound."""

import pytest
from crs_core import code_texts, codes, entry_codes
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


@pytest.mark.parametrize(
    ("before", "after", "is_rising"),
    [
        ({"oxygen": "room_air"}, {"oxygen": "nasal_cannula_low"}, False),  # new, which is an alarm of its own
        ({"oxygen": "nasal_cannula_low"}, {"oxygen": "nasal_cannula_high"}, True),
        ({"oxygen": "blow_by"}, {"oxygen": "nasal_cannula_low"}, False),
        ({"oxygen": "face_mask"}, {"oxygen": "cpap"}, True),
        ({"oxygen": "bipap"}, {"oxygen": "invasive_ventilation"}, True),
        ({"oxygen": "cpap"}, {"oxygen": "face_mask"}, False),
        ({"oxygen": "cpap"}, {"oxygen": "room_air"}, False),
        ({"oxygen": "face_mask", "flow_lpm": 6}, {"oxygen": "face_mask", "flow_lpm": 7}, True),
        ({"oxygen": "face_mask", "flow_lpm": 6}, {"oxygen": "face_mask", "flow_lpm": 6}, False),
        ({"oxygen": "blow_by", "flow_lpm": 1}, {"oxygen": "blow_by", "flow_lpm": 2}, True),
        ({"oxygen": "venturi", "fio2_pct": 22}, {"oxygen": "venturi", "fio2_pct": 24}, True),
        ({"oxygen": "face_mask"}, {"oxygen": "face_mask", "flow_lpm": 7}, False),  # told for the first time
        ({"oxygen": "face_mask", "fio2_pct": 35}, {"oxygen": "face_mask", "fio2_pct": 36}, True),
        ({"oxygen": "face_mask", "fio2_pct": 35}, {"oxygen": "face_mask", "fio2_pct": 35}, False),
        ({"oxygen": "face_mask", "fio2_pct": 21}, {"oxygen": "face_mask", "fio2_pct": 30}, False),
        ({"oxygen": "room_air", "flow_lpm": 1}, {"oxygen": "room_air", "flow_lpm": 2}, False),
        ({"oxygen": "face_mask", "fio2_pct": 35}, {"fio2_pct": 40}, True),
        ({"oxygen": "face_mask", "flow_lpm": 6}, {"flow_lpm": 8}, True),
    ],
)
def test_a_need_that_goes_up_between_two_entries_is_noted_and_taken_back(
    before: dict, after: dict, is_rising: bool
) -> None:
    told = entries.enter(entries.enter([], before, 0), after, 10)
    assert ([entries.RISING_NEED, True, 10, 0] in told) is is_rising
    assert entries.RISING_NEED not in entries.in_force(told), "it is a sign, not an input of a table"
    again = entries.enter(told, {"oxygen": "room_air"}, 20)
    assert entries.RISING_NEED not in entries.values_of(again)
    withdrawn = entries.enter(told, dict.fromkeys(["oxygen", *after]), 20)
    assert (entries.RISING_NEED in entries.values_of(withdrawn)) is is_rising, "not known is no fall"


def test_a_rising_need_told_again_is_the_same_for_ten_minutes_either_way() -> None:
    """The link and a correction move the moment of an observation; a need that stays does not rise for ever."""
    at_ms, same_ms = 5_000_000, 600_000
    told = entries.enter([], {"oxygen": "nasal_cannula_low"}, 0)
    told = entries.enter(told, {"oxygen": "face_mask", "flow_lpm": 6}, at_ms)
    assert [entries.RISING_NEED, True, at_ms, 0] in told
    for again_ms, is_kept in (
        (at_ms + same_ms, True),
        (at_ms + same_ms + 1, False),
        (at_ms - same_ms, True),
        (at_ms - same_ms - 1, False),
    ):
        again = entries.enter(told, {"oxygen": "face_mask", "flow_lpm": 6}, again_ms)
        assert ([entries.RISING_NEED, True, at_ms, 0] in again) is is_kept, again_ms
        other = entries.enter(told, {"ice": 10}, again_ms)
        assert [entries.RISING_NEED, True, at_ms, 0] in other, (
            "an entry about something else says nothing of it"
        )
    for lower in ({"oxygen": "nasal_cannula_low"}, {"oxygen": "face_mask", "flow_lpm": 5}, {"flow_lpm": 5}):
        assert entries.RISING_NEED not in entries.values_of(entries.enter(told, lower, at_ms + 1)), lower


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


def test_a_signed_death_gives_its_own_reason_and_asks_for_nothing() -> None:
    for death, name, code in (
        ("crs", "ASTCT", codes.R_DEATH),
        ("crs", "Penn", codes.R_DEATH),
        ("icans", "ICANS", entry_codes.R_DEATH_ICANS),
    ):
        grade = case.assess({"death": death})["grades"][name]
        assert grade["reasons"] == [code_texts.reason_text(code)]
        assert (grade["missing"], grade["other_readings"], grade["ambiguous"]) == ([], [], False)


@pytest.mark.parametrize(
    ("inputs", "name", "code", "lower", "upper"),
    [
        ({"vasopressors": ["vasopressin"]}, "ASTCT", codes.R_VASOPRESSIN_ALONE, 2, 2),
        (
            {"oxygen": "cpap", "ventilation_not_for_hypoxia": True},
            "Penn",
            entry_codes.R_READ_VENTILATION_OTHER,
            3,
            3,
        ),
    ],
)
def test_another_reading_of_a_fact_says_which_words_allow_it(
    inputs: dict, name: str, code: int, lower: int, upper: int
) -> None:
    hot = {"temperature_cc": 3840, "site": "oral", "context": "complete"}
    grade = case.assess(hot | inputs)["grades"][name]
    assert {"lower": lower, "upper": upper, "why": code_texts.reason_text(code)} in grade["other_readings"]
    assert code_texts.reason_text(code) in grade["reasons"]
