"""What each input leaves of each fact: its possible values, whether it counts, what is missing, why."""

import pytest
from crs_core import codes
from crs_core.grade import astct, case, facts, scale
from crs_core.grade.rules import DEFAULT
from crs_core.grade.scale import Fact
from crs_core.grade.scales import FACTS, SCALES
from crs_core.grade.scales.shared_facts import WEARABLE

EITHER = ("no", "yes")
PRESSURE = ("held", "hypotension")
NEED = ("none", "low", "high", "positive_pressure")
SUPPORT = ("none", "low", "high", "noninvasive", "ventilator")
COMPLETE = {"context": "complete"}


def fact(
    *values: object, known: bool = True, missing: int = 0, why: object = (), other: object = None
) -> Fact:
    """`why`: one reason or several."""
    return Fact(values, known, missing, why if isinstance(why, tuple) else (why,), other)


def at(temp_cc: int, site: str, **more: object) -> dict:
    return {"temperature_cc": temp_cc, "site": site, **more}


OPEN_OXYGEN = fact(*NEED, known=False, missing=codes.MISSING_OXYGEN)
UNSETTLED = fact(*NEED, known=False, missing=codes.MISSING_OXYGEN, why=codes.R_ROOM_AIR_UNSETTLED)
OPEN_PRESSURE = fact(*PRESSURE, known=False, missing=codes.MISSING_BLOOD_PRESSURE)
HELD, HYPOTENSION = fact("held"), fact("hypotension", why=codes.R_HYPOTENSION)
UNDECIDED = fact(*PRESSURE, missing=codes.MISSING_BLOOD_PRESSURE)
TEMPERATURE = codes.MISSING_TEMPERATURE
NO_TEMPERATURE = {"known": False, "missing": TEMPERATURE}

CASES = [
    ("fever", {}, fact(*EITHER, **NO_TEMPERATURE)),
    ("fever", COMPLETE, fact(*EITHER, **NO_TEMPERATURE)),
    ("fever", {"steroid": True}, fact(*EITHER, **NO_TEMPERATURE)),
    ("fever", {"fever_other_cause": True}, fact("no", **NO_TEMPERATURE, why=codes.R_OTHER_CAUSE)),
    ("fever", at(3900, "oral", fever_other_cause=True), fact("no", why=codes.R_OTHER_CAUSE)),
    ("fever", at(3800, "axilla"), fact("yes", why=codes.R_FEVER_MET)),
    ("fever", at(3800, "skin", steroid=True), fact("yes", why=codes.R_FEVER_MET)),
    *[
        ("fever", at(3799, site), fact("no", why=codes.R_BELOW))
        for site in ("oral", "tympanic", "rectal", "core")
    ],
    ("fever", at(3799, "axilla"), fact(*EITHER, missing=TEMPERATURE, why=codes.R_BELOW_AT_AXILLA)),
    ("fever", at(3799, "skin"), fact(*EITHER, missing=TEMPERATURE, why=codes.R_SKIN_BELOW)),
    *[
        ("fever", at(3799, "oral", **{drug: True}), fact(*EITHER, why=codes.R_MASKED))
        for drug in ("antipyretic", "steroid", "anticytokine")
    ],
    ("fever", at(3799, "oral", steroid=False), fact("no", why=codes.R_BELOW)),
    ("fever_earlier", {}, fact(*EITHER, known=False, missing=codes.MISSING_FEVER_EARLIER)),
    ("fever_earlier", {"fever_earlier": True}, fact("yes", known=False, why=codes.R_FEVER_EARLIER)),
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
    ("vasopressors", {"vasopressors": ["other"]}, fact("one", why=codes.R_ONE_VASOPRESSOR)),
    (
        "vasopressors",
        {"vasopressors": ["dopamine", "vasopressin", "dopamine"]},
        fact("one", why=codes.R_ONE_VASOPRESSOR),
    ),
    ("vasopressors", {"vasopressors": ["other", "other"]}, fact("several", why=codes.R_SEVERAL_VASOPRESSORS)),
    (
        "vasopressors",
        {"vasopressors": ["vasopressin"]},
        fact("one", why=codes.R_VASOPRESSIN_ALONE, other=("none",)),
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
        fact(*NEED, known=False, missing=codes.MISSING_SPO2, why=codes.R_ROOM_AIR_UNSETTLED),
    ),
    ("oxygen", {"oxygen": "room_air", "spo2_tenths": 900}, fact("none")),
    ("oxygen", {"oxygen": "room_air", "spo2_tenths": 899}, UNSETTLED),
    *[
        ("oxygen", {"oxygen": one}, fact("low", why=codes.R_OXYGEN_LOW))
        for one in ("nasal_cannula_low", "blow_by")
    ],
    *[
        ("oxygen", {"oxygen": one}, fact("high", why=codes.R_OXYGEN_HIGH))
        for one in ("nasal_cannula_high", "face_mask", "non_rebreather", "venturi")
    ],
    *[
        ("oxygen", {"oxygen": one}, fact("positive_pressure", why=codes.R_POSITIVE_PRESSURE))
        for one in ("cpap", "bipap", "invasive_ventilation")
    ],
    (
        "oxygen",
        {"oxygen": "bipap", "ventilation_not_for_hypoxia": True},
        fact("none", why=codes.R_VENTILATION_OTHER),
    ),
    (
        "oxygen",
        {"oxygen": "face_mask", "ventilation_not_for_hypoxia": True},
        fact("high", why=codes.R_OXYGEN_HIGH),
    ),
    ("agents", {"vasopressors": []}, fact("none")),
    ("agents", {"vasopressors": ["vasopressin"]}, fact("one", why=codes.R_ONE_VASOPRESSOR)),
    ("agents", {"vasopressors": ["vasopressin", "other"]}, fact("several", why=101)),
    ("dose", {"vasopressor_dose": "low", "vasopressors": ["other"]}, fact("low")),
    ("dose", {"vasopressor_dose": "high"}, fact("high")),
    ("dose", {"vasopressor_dose": "high", "vasopressors": ["other"]}, fact("high", why=102)),
    ("hours", {"vasopressor_hours": 23.9, "vasopressors": ["other"]}, fact("under24")),
    ("hours", {"vasopressor_hours": 24}, fact("from24")),
    ("hours", {"vasopressor_hours": 24, "vasopressors": ["other"]}, fact("from24", why=103)),
    (
        "support",
        {"ventilation_not_for_hypoxia": True, "spo2_tenths": 900},
        fact(*SUPPORT[:3], known=False, missing=codes.MISSING_OXYGEN),
    ),
    ("support", {"oxygen": "face_mask"}, fact("high", why=codes.R_OXYGEN_HIGH)),
    *[("support", {"oxygen": one}, fact("noninvasive", why=106)) for one in ("cpap", "bipap")],
    ("support", {"oxygen": "invasive_ventilation"}, fact("ventilator", why=107)),
    (
        "support",
        {"oxygen": "cpap", "ventilation_not_for_hypoxia": True},
        fact("none", why=codes.R_VENTILATION_OTHER, other=("noninvasive",)),
    ),
    (
        "support",
        {"oxygen": "invasive_ventilation", "ventilation_not_for_hypoxia": True},
        fact("none", why=codes.R_VENTILATION_OTHER, other=("ventilator",)),
    ),
    ("fio2", {"fio2_pct": 39.9, "oxygen": "face_mask"}, fact("under40")),
    ("fio2", {"fio2_pct": 40, "oxygen": "room_air", "spo2_tenths": 970}, fact("from40")),
    ("fio2", {"fio2_pct": 40, "oxygen": "invasive_ventilation"}, fact("from40")),
    *[
        ("fio2", {"fio2_pct": 40, "oxygen": one}, fact("from40", why=108))
        for one in ("blow_by", "face_mask", "cpap")
    ],
    ("score", {"age_months": 144}, fact("unimpaired", "mild", "moderate", "severe", known=False, missing=31)),
    ("score", {"age_months": 143}, fact("unimpaired", "mild", "severe", known=False, missing=32)),
    ("score", {"ice": 10}, fact("unimpaired")),
    *[("score", {"ice": n}, fact("mild", why=123)) for n in (9, 7)],
    *[("score", {"ice": n}, fact("moderate", why=124)) for n in (6, 3)],
    *[("score", {"ice": n}, fact("severe", why=125)) for n in (2, 0)],
    ("score", {"capd": 0}, fact("unimpaired")),
    *[("score", {"capd": n}, fact("mild", why=126)) for n in (1, 8)],
    ("score", {"capd": 9}, fact("severe", why=127)),
    ("score", {"ice": 5, "capd": 9}, fact("severe", why=(124, 127))),
    ("score", {"ice": 5, "capd": 9, "age_months": 144}, fact("moderate", why=124)),
    ("score", {"ice": 5, "capd": 9, "age_months": 143}, fact("severe", why=127)),
    ("score", {"ice": 5, "age_months": 143}, fact("moderate", why=124)),
    ("organ", {"organ_grade": 0}, fact(0)),
    ("organ", {"organ_grade": 3}, fact(3, why=113)),
    ("motor", {"motor_weakness": True}, fact("yes", why=133)),
    ("motor", {"motor_weakness": False}, fact("no")),
    ("fluids", {"fluids_for_bp": "single"}, fact("single")),
    ("fluids", {"fluids_for_bp": "multiple"}, fact("multiple", why=105)),
]


@pytest.mark.parametrize(
    ("name", "inputs", "expected"), CASES, ids=[f"{c[0]}-{n}" for n, c in enumerate(CASES)]
)
def test_an_input_leaves_of_a_fact_what_it_says_and_no_less(name: str, inputs: dict, expected: Fact) -> None:
    assert FACTS[name].read(inputs, DEFAULT) == expected


@pytest.mark.parametrize("name", sorted(set(FACTS) - {fact.name for fact in WEARABLE}))
def test_an_entered_fact_that_is_missing_is_open_and_none_when_everything_was_asked(name: str) -> None:
    fact = FACTS[name]
    of_the_wearable = {"agents": codes.MISSING_VASOPRESSORS, "support": codes.MISSING_OXYGEN}
    number = of_the_wearable[name] if name in of_the_wearable else fact.missing[0].number
    assert fact.read({}, DEFAULT) == Fact(fact.values, False, number, (), None)
    assert fact.read(COMPLETE, DEFAULT) == Fact(fact.values[:1], True, 0, (), None)


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
        scale.parameter("one", ("b", "a"), scale.grade(1, a=1)),
        scale.parameter("two", ("a", "c"), scale.grade(2, c=1)),
        scale.parameter("only another reading", ("d",), others=((1, (("d", 1),), 9),)),
    )
    made = scale.make(7, "S", 2001, rows, (("g", 1),), (("h", 1),), "icans")
    assert made == scale.Scale(7, "S", 2001, rows, (("g", 1),), (("h", 1),), "icans", ("g", "b", "a", "c"))
    assert scale.make(7, "S", 2001, rows) == scale.Scale(7, "S", 2001, rows, (), (), "crs", ("b", "a", "c"))


@pytest.mark.parametrize("low", [{"blood_pressure": "hypotension"}, {"systolic_mmhg": 85, "age_months": 600}])
def test_other_readings_are_read_from_the_inputs_where_no_scale_has_read_them_before(low: dict) -> None:
    """Each scale by itself: what another one had already read must not be what makes it work."""
    inputs = at(3840, "oral", fluids_for_bp="multiple") | COMPLETE | low
    together = case.assess(inputs)["grades"]
    for one in SCALES:
        assert case.assess_scale(one, inputs, DEFAULT, {}) == together[one.name]
        alone = {told for told, _ in case.other_readings(one, inputs, DEFAULT, {})}
        assert alone >= {(r["lower"], r["upper"]) for r in together[one.name]["other_readings"]}
    assert together["MSKCC"]["ambiguous"] and together["Penn"]["ambiguous"]
    afebrile = at(3700, "oral", oxygen="cpap") | COMPLETE
    told = [case.other_readings(one, afebrile, DEFAULT, {}) for one in SCALES]
    assert told[0] == [] and all(((0, 0), 156) in one for one in told[1:])


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


def test_another_reading_of_a_row_counts_behind_a_gate_too() -> None:
    rows = (scale.parameter("row", ("a",), scale.grade(2, a=1)),)
    made = scale.make(1, "S", 2000, rows, (("g", "yes"),))
    possible = {"a": (0, 1), "g": ("yes",)}
    assert scale.interval(made, possible) == (0, 2)
    assert scale.interval(made, possible, ("row", 3)) == (3, 3)
    assert scale.interval(made, possible | {"g": ("no", "yes")}, ("row", 3)) == (0, 3)
    assert scale.interval(made, possible | {"g": ("no",)}, ("row", 3)) == (0, 0)
