"""What each input leaves of each fact: its possible values, whether it counts, what is missing, why."""

import pytest
from crs_core import codes
from crs_core import entry_codes as entry
from crs_core.grade import astct, case, facts, scale
from crs_core.grade.rules import DEFAULT
from crs_core.grade.scale import Fact
from crs_core.grade.scales import SCALES, entered_facts

EITHER = ("no", "yes")
PRESSURE = ("held", "hypotension")
NEED = ("none", "low", "high", "positive_pressure")
SUPPORT = ("none", "low", "high", "noninvasive", "ventilator")
COMPLETE = {"context": "complete"}


def fact(
    *values: object, known: bool = True, missing: int = 0, why: tuple = (), other: tuple | None = None
) -> Fact:
    return Fact(values, known, missing, why, other)


def at(temp_cc: int, site: str, **more: object) -> dict:
    return {"temperature_cc": temp_cc, "site": site, **more}


OPEN_OXYGEN = fact(*NEED, known=False, missing=codes.MISSING_OXYGEN)
UNSETTLED = fact(*NEED, known=False, missing=codes.MISSING_OXYGEN, why=(codes.R_ROOM_AIR_UNSETTLED,))
OPEN_PRESSURE = fact(*PRESSURE, known=False, missing=codes.MISSING_BLOOD_PRESSURE)
HELD, HYPOTENSION = fact("held"), fact("hypotension", why=(codes.R_HYPOTENSION,))
UNDECIDED = fact(*PRESSURE, missing=codes.MISSING_BLOOD_PRESSURE)
NO_TEMPERATURE = {"known": False, "missing": codes.MISSING_TEMPERATURE}

CASES = [
    ("fever", {}, fact(*EITHER, **NO_TEMPERATURE)),
    ("fever", COMPLETE, fact(*EITHER, **NO_TEMPERATURE)),
    ("fever", {"steroid": True}, fact(*EITHER, **NO_TEMPERATURE)),
    ("fever", {"fever_other_cause": True}, fact("no", **NO_TEMPERATURE, why=(codes.R_OTHER_CAUSE,))),
    ("fever", at(3900, "oral", fever_other_cause=True), fact("no", why=(codes.R_OTHER_CAUSE,))),
    ("fever", at(3800, "axilla"), fact("yes", why=(codes.R_FEVER_MET,))),
    ("fever", at(3800, "skin", steroid=True), fact("yes", why=(codes.R_FEVER_MET,))),
    *[
        ("fever", at(3799, site), fact("no", why=(codes.R_BELOW,)))
        for site in ("oral", "tympanic", "rectal", "core")
    ],
    (
        "fever",
        at(3799, "axilla"),
        fact(*EITHER, missing=codes.MISSING_TEMPERATURE, why=(codes.R_BELOW_AT_AXILLA,)),
    ),
    (
        "fever",
        at(3799, "skin"),
        fact(*EITHER, missing=codes.MISSING_TEMPERATURE, why=(codes.R_SKIN_BELOW,)),
    ),
    *[
        ("fever", at(3799, "oral", **{drug: True}), fact(*EITHER, why=(codes.R_MASKED,)))
        for drug in ("antipyretic", "steroid", "anticytokine")
    ],
    ("fever", at(3799, "oral", steroid=False), fact("no", why=(codes.R_BELOW,))),
    ("fever_earlier", {}, fact(*EITHER, known=False, missing=codes.MISSING_FEVER_EARLIER)),
    ("fever_earlier", {"fever_earlier": True}, fact("yes", known=False, why=(codes.R_FEVER_EARLIER,))),
    ("fever_earlier", {"fever_earlier": False}, fact("no", known=False)),
    ("fever_earlier", COMPLETE, fact("no", known=False)),
    ("pressure", {}, OPEN_PRESSURE),
    ("pressure", COMPLETE, HELD),
    ("pressure", {"blood_pressure": "normal"}, HELD),
    ("pressure", {"blood_pressure": "hypotension"}, HYPOTENSION),
    ("pressure", {"blood_pressure": "normal", "vasopressors": ["vasopressin"]}, HYPOTENSION),
    ("pressure", {"vasopressors": []}, OPEN_PRESSURE),
    ("pressure", {"diastolic_mmhg": 40}, OPEN_PRESSURE),
    ("pressure", {"systolic_mmhg": 90, "age_months": 144}, HELD),
    ("pressure", {"systolic_mmhg": 89, "age_months": 144}, HYPOTENSION),
    ("pressure", {"map_mmhg": 64, "age_months": 144}, HYPOTENSION),
    ("pressure", {"map_mmhg": 65, "age_months": 144}, UNDECIDED),
    ("pressure", {"map_mmhg": 65, "age_months": 144} | COMPLETE, HELD),
    ("pressure", {"map_mmhg": 64, "systolic_mmhg": 120, "age_months": 144}, HYPOTENSION),
    ("pressure", {"systolic_mmhg": 99, "baseline_systolic_mmhg": 124, "age_months": 600}, HYPOTENSION),
    ("pressure", {"systolic_mmhg": 99, "baseline_systolic_mmhg": 123, "age_months": 600}, HELD),
    ("pressure", {"systolic_mmhg": 100, "baseline_systolic_mmhg": 200, "age_months": 600}, HELD),
    # 1-10 years: below 70 + 2 x age; from 10 years on below 90
    ("pressure", {"systolic_mmhg": 71, "age_months": 12}, HYPOTENSION),
    ("pressure", {"systolic_mmhg": 72, "age_months": 12}, HELD),
    ("pressure", {"systolic_mmhg": 71, "age_months": 23}, HYPOTENSION),
    ("pressure", {"systolic_mmhg": 73, "age_months": 24}, HYPOTENSION),
    ("pressure", {"systolic_mmhg": 74, "age_months": 24}, HELD),
    ("pressure", {"systolic_mmhg": 89, "age_months": 143}, HYPOTENSION),
    ("pressure", {"systolic_mmhg": 90, "age_months": 143}, HELD),
    ("pressure", {"map_mmhg": 40, "age_months": 60}, UNDECIDED),
    ("pressure", {"map_mmhg": 40, "age_months": 60} | COMPLETE, HELD),
    ("pressure", {"systolic_mmhg": 40, "age_months": 11}, UNDECIDED),
    # without an age only what all ages agree on
    ("pressure", {"systolic_mmhg": 90}, HELD),
    ("pressure", {"systolic_mmhg": 89}, UNDECIDED),
    ("pressure", {"systolic_mmhg": 72}, UNDECIDED),
    ("pressure", {"systolic_mmhg": 71}, HYPOTENSION),
    ("vasopressors", {}, fact("none", "one", "several", known=False, missing=codes.MISSING_VASOPRESSORS)),
    ("vasopressors", COMPLETE, fact("none")),
    ("vasopressors", {"vasopressors": []}, fact("none")),
    ("vasopressors", {"vasopressors": ["other"]}, fact("one", why=(codes.R_ONE_VASOPRESSOR,))),
    (
        "vasopressors",
        {"vasopressors": ["dopamine", "vasopressin", "dopamine"]},
        fact("one", why=(codes.R_ONE_VASOPRESSOR,)),
    ),
    (
        "vasopressors",
        {"vasopressors": ["other", "other"]},
        fact("several", why=(codes.R_SEVERAL_VASOPRESSORS,)),
    ),
    (
        "vasopressors",
        {"vasopressors": ["vasopressin"]},
        fact("one", why=(codes.R_VASOPRESSIN_ALONE,), other=("none",)),
    ),
    ("oxygen", {}, OPEN_OXYGEN),
    ("oxygen", {"ventilation_not_for_hypoxia": True}, OPEN_OXYGEN),
    ("oxygen", {"ventilation_not_for_hypoxia": True, "spo2_tenths": 899}, OPEN_OXYGEN),
    (
        "oxygen",
        {"ventilation_not_for_hypoxia": True, "spo2_tenths": 900},
        fact(*NEED[:3], known=False, missing=codes.MISSING_OXYGEN),
    ),
    ("oxygen", COMPLETE, fact("none")),
    ("oxygen", COMPLETE | {"spo2_tenths": 900}, fact("none")),
    ("oxygen", COMPLETE | {"spo2_tenths": 899}, UNSETTLED),
    (
        "oxygen",
        {"oxygen": "room_air"},
        fact(*NEED, known=False, missing=codes.MISSING_SPO2, why=(codes.R_ROOM_AIR_UNSETTLED,)),
    ),
    ("oxygen", {"oxygen": "room_air", "spo2_tenths": 900}, fact("none")),
    ("oxygen", {"oxygen": "room_air", "spo2_tenths": 899}, UNSETTLED),
    *[
        ("oxygen", {"oxygen": one}, fact("low", why=(codes.R_OXYGEN_LOW,)))
        for one in ("nasal_cannula_low", "blow_by")
    ],
    *[
        ("oxygen", {"oxygen": one}, fact("high", why=(codes.R_OXYGEN_HIGH,)))
        for one in ("nasal_cannula_high", "face_mask", "non_rebreather", "venturi")
    ],
    *[
        ("oxygen", {"oxygen": one}, fact("positive_pressure", why=(codes.R_POSITIVE_PRESSURE,)))
        for one in ("cpap", "bipap", "invasive_ventilation")
    ],
    (
        "oxygen",
        {"oxygen": "bipap", "ventilation_not_for_hypoxia": True},
        fact("none", why=(codes.R_VENTILATION_OTHER,)),
    ),
    (
        "oxygen",
        {"oxygen": "face_mask", "ventilation_not_for_hypoxia": True},
        fact("high", why=(codes.R_OXYGEN_HIGH,)),
    ),
    ("agents", {}, fact("none", "one", "several", known=False, missing=codes.MISSING_VASOPRESSORS)),
    ("agents", COMPLETE, fact("none")),
    ("agents", {"vasopressors": []}, fact("none")),
    ("agents", {"vasopressors": ["vasopressin"]}, fact("one", why=(codes.R_ONE_VASOPRESSOR,))),
    (
        "agents",
        {"vasopressors": ["vasopressin", "other"]},
        fact("several", why=(entry.R_TWO_VASOPRESSORS,)),
    ),
    ("dose", {}, fact("low", "high", known=False, missing=entry.MISSING_VASOPRESSOR_DOSE)),
    ("dose", COMPLETE, fact("low")),
    ("dose", {"vasopressor_dose": "low", "vasopressors": ["other"]}, fact("low")),
    ("dose", {"vasopressor_dose": "high"}, fact("high")),
    ("dose", {"vasopressor_dose": "high", "vasopressors": ["other"]}, fact("high", why=(entry.R_DOSE_HIGH,))),
    ("hours", {}, fact("under24", "from24", known=False, missing=entry.MISSING_VASOPRESSOR_HOURS)),
    ("hours", COMPLETE, fact("under24")),
    ("hours", {"vasopressor_hours": 23.9, "vasopressors": ["other"]}, fact("under24")),
    ("hours", {"vasopressor_hours": 24}, fact("from24")),
    (
        "hours",
        {"vasopressor_hours": 24, "vasopressors": ["other"]},
        fact("from24", why=(entry.R_FROM_24_HOURS,)),
    ),
    ("support", {}, fact(*SUPPORT, known=False, missing=codes.MISSING_OXYGEN)),
    (
        "support",
        {"ventilation_not_for_hypoxia": True, "spo2_tenths": 900},
        fact(*SUPPORT[:3], known=False, missing=codes.MISSING_OXYGEN),
    ),
    ("support", COMPLETE, fact("none")),
    ("support", {"oxygen": "face_mask"}, fact("high", why=(codes.R_OXYGEN_HIGH,))),
    *[
        ("support", {"oxygen": one}, fact("noninvasive", why=(entry.R_NONINVASIVE,)))
        for one in ("cpap", "bipap")
    ],
    ("support", {"oxygen": "invasive_ventilation"}, fact("ventilator", why=(entry.R_VENTILATOR,))),
    (
        "support",
        {"oxygen": "cpap", "ventilation_not_for_hypoxia": True},
        fact("none", why=(codes.R_VENTILATION_OTHER,), other=("noninvasive",)),
    ),
    (
        "support",
        {"oxygen": "invasive_ventilation", "ventilation_not_for_hypoxia": True},
        fact("none", why=(codes.R_VENTILATION_OTHER,), other=("ventilator",)),
    ),
    ("fio2", {}, fact("under40", "from40", known=False, missing=entry.MISSING_FIO2)),
    ("fio2", COMPLETE, fact("under40")),
    ("fio2", {"fio2_pct": 39.9, "oxygen": "face_mask"}, fact("under40")),
    ("fio2", {"fio2_pct": 40, "oxygen": "room_air", "spo2_tenths": 970}, fact("from40")),
    ("fio2", {"fio2_pct": 40, "oxygen": "invasive_ventilation"}, fact("from40")),
    *[
        ("fio2", {"fio2_pct": 40, "oxygen": one}, fact("from40", why=(entry.R_FIO2_FROM_40,)))
        for one in ("blow_by", "face_mask", "cpap")
    ],
    ("score", {}, fact("unimpaired", "mild", "moderate", "severe", known=False, missing=entry.MISSING_ICE)),
    (
        "score",
        {"age_months": 144},
        fact("unimpaired", "mild", "moderate", "severe", known=False, missing=entry.MISSING_ICE),
    ),
    (
        "score",
        {"age_months": 143},
        fact("unimpaired", "mild", "severe", known=False, missing=entry.MISSING_CAPD),
    ),
    ("score", COMPLETE, fact("unimpaired")),
    ("score", {"ice": 10}, fact("unimpaired")),
    *[("score", {"ice": n}, fact("mild", why=(entry.R_ICE_7_9,))) for n in (9, 7)],
    *[("score", {"ice": n}, fact("moderate", why=(entry.R_ICE_3_6,))) for n in (6, 3)],
    *[("score", {"ice": n}, fact("severe", why=(entry.R_ICE_0_2,))) for n in (2, 0)],
    ("score", {"capd": 0}, fact("unimpaired")),
    *[("score", {"capd": n}, fact("mild", why=(entry.R_CAPD_1_8,))) for n in (1, 8)],
    ("score", {"capd": 9}, fact("severe", why=(entry.R_CAPD_FROM_9,))),
    ("score", {"ice": 5, "capd": 9}, fact("severe", why=(entry.R_ICE_3_6, entry.R_CAPD_FROM_9))),
    ("score", {"ice": 5, "capd": 9, "age_months": 144}, fact("moderate", why=(entry.R_ICE_3_6,))),
    ("score", {"ice": 5, "capd": 9, "age_months": 143}, fact("severe", why=(entry.R_CAPD_FROM_9,))),
    ("score", {"ice": 5, "age_months": 143}, fact("moderate", why=(entry.R_ICE_3_6,))),
    ("organ", {}, fact(0, 1, 2, 3, 4, known=False, missing=entry.MISSING_ORGAN)),
    ("organ", COMPLETE, fact(0)),
    ("organ", {"organ_grade": 0}, fact(0)),
    ("organ", {"organ_grade": 3}, fact(3, why=(entry.R_ORGAN_3,))),
    ("motor", {"motor_weakness": True}, fact("yes", why=(entry.R_MOTOR_WEAKNESS,))),
    ("motor", {"motor_weakness": False}, fact("no")),
    ("motor", {}, fact("no", "yes", known=False, missing=entry.MISSING_MOTOR_WEAKNESS)),
    ("fluids", {"fluids_for_bp": "single"}, fact("single")),
    ("fluids", {"fluids_for_bp": "multiple"}, fact("multiple", why=(entry.R_FLUIDS_MULTIPLE,))),
]


@pytest.mark.parametrize(
    ("name", "inputs", "expected"), CASES, ids=[f"{c[0]}-{n}" for n, c in enumerate(CASES)]
)
def test_an_input_leaves_of_a_fact_what_it_says_and_no_less(name: str, inputs: dict, expected: Fact) -> None:
    assert entered_facts.read(name, inputs, DEFAULT) == expected


@pytest.mark.parametrize("name", entered_facts.NAMES)
def test_the_least_value_is_what_asked_and_there_is_none_means(name: str) -> None:
    """Fever is measured, never asked."""
    found = entered_facts.read(name, COMPLETE, DEFAULT)
    assert name == "fever" or len(found.values) == 1
    assert not found.reasons


@pytest.mark.parametrize(
    ("inputs", "state"),
    [
        ({}, codes.FEVER_UNKNOWN),
        ({"steroid": True}, codes.FEVER_UNKNOWN),
        (at(3800, "skin"), codes.FEVER_MET),
        (at(3799, "oral", anticytokine=True), codes.FEVER_MASKED),
        (at(3799, "axilla"), codes.FEVER_POSSIBLE),
        (at(3750, "axilla"), codes.FEVER_POSSIBLE),
        (at(3749, "axilla"), codes.FEVER_NOT_MET),
        (at(3799, "tympanic"), codes.FEVER_NOT_MET),
        (at(3799, "skin"), codes.FEVER_UNKNOWN),
    ],
)
def test_the_state_of_the_fever_goes_by_the_rule_of_its_site(inputs: dict, state: int) -> None:
    assert facts.fever_state(inputs, DEFAULT) == state


def test_a_drug_given_twice_is_one_and_two_others_are_two() -> None:
    for names, number in (
        ([], 0),
        (["a"], 1),
        (["a", "a"], 1),
        (["a", "b", "a"], 2),
        (["other", "other"], 2),
    ):
        assert facts.different(names) == number


def test_a_scale_is_made_of_what_it_is_given_and_reads_the_facts_of_its_cells_once_each_in_order() -> None:
    rows = (
        scale.Row("one", ("b", "a"), ((1, (("a", 1),)),), ()),
        scale.Row("two", ("a", "c"), ((2, (("c", 1),)),), ()),
        scale.Row("only another reading", ("d",), (), ((1, (("d", 1),), 9),)),
    )
    made = scale.make(7, "S", 2001, rows, (("g", 1),), (("h", 1),), "icans")
    assert made == scale.Scale(7, "S", 2001, rows, (("g", 1),), (("h", 1),), "icans", ("g", "b", "a", "c"))
    assert scale.make(7, "S", 2001, rows) == scale.Scale(7, "S", 2001, rows, (), (), "crs", ("b", "a", "c"))


def test_other_readings_are_read_from_the_inputs_where_no_scale_has_read_them_before() -> None:
    """Each scale by itself: what another one had already read must not be what makes it work."""
    inputs = {
        "temperature_cc": 3840,
        "site": "oral",
        "blood_pressure": "hypotension",
        "fluids_for_bp": "multiple",
    }
    inputs |= {"context": "complete"}
    together = case.assess(inputs)["grades"]
    for one in SCALES:
        assert case.assess_scale(one, inputs, DEFAULT, {}) == together[one.name]
        alone = case.other_readings(one, inputs, DEFAULT, {})
        assert {told for told, _ in alone} >= {
            (r["lower"], r["upper"]) for r in together[one.name]["other_readings"]
        }
    afebrile = {"temperature_cc": 3700, "site": "oral", "oxygen": "cpap", "context": "complete"}
    for one in SCALES[1:]:
        told = case.other_readings(one, afebrile, DEFAULT, {})
        assert ((0, 0), entry.R_READ_FEVER_GATE) in told
    assert case.other_readings(SCALES[0], afebrile, DEFAULT, {}) == []


@pytest.mark.parametrize(
    ("fever", "latched", "bounds", "asks_earlier"),
    [
        ("yes", False, (1, 4), False),
        ("yes", True, (1, 4), False),
        ("no", False, (0, 4), True),
        ("no", True, (0, 4), False),
        ("", False, (0, 4), True),
        ("", True, (0, 4), False),
    ],
)
def test_the_six_cases_that_sensors_can_tell_apart(
    fever: str, latched: bool, bounds: tuple, asks_earlier: bool
) -> None:
    asked = (codes.MISSING_BLOOD_PRESSURE, codes.MISSING_VASOPRESSORS, codes.MISSING_OXYGEN)
    asked += (codes.MISSING_FEVER_EARLIER,) if asks_earlier else ()
    assert astct.from_sensors(fever, latched) == (*bounds, asked)
