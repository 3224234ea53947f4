"""The ASTCT interval of a case is exactly the minimum and maximum over every world that its inputs allow.

The reference here is written apart from the product: a world is what is true of a patient, the published table is
three `if`s, and the inputs only say which worlds remain.
"""

from itertools import product
from typing import Any

from crs_core.errors import RemoteError
from crs_core.grade import case
from crs_core.grade.rules import DEFAULT
from crs_core.grade.scale import completions, grade_of, interval
from crs_core.grade.scales import SCALES
from hypothesis import given, settings
from hypothesis import strategies as st

LOW = {"nasal_cannula_low", "blow_by"}
HIGH = {"nasal_cannula_high", "face_mask", "non_rebreather", "venturi"}
PRESSURE = {"cpap", "bipap", "invasive_ventilation"}
WORLDS = list(product((False, True), (False, True), (False, True), (0, 1, 2), (0, 2, 3, 4)))


def published(fever: bool, earlier: bool, hypotension: bool, agents: int, need: int) -> int:
    """ASTCT 2019 of one world; `need` is the rung of the oxygen row, `agents` counts none, one, several."""
    if not (fever or earlier):
        return 0
    blood = (2 if hypotension else 0, 3, 4)[agents]
    return max(1 if fever else 0, blood, need)


def allows(
    inputs: dict[str, Any], fever: bool, earlier: bool, hypotension: bool, agents: int, need: int
) -> bool:
    """Could this world be, given what was entered?"""
    complete = "context" in inputs
    temp = inputs.get("temperature_cc")
    masked = any(inputs.get(drug) for drug in ("antipyretic", "steroid", "anticytokine"))
    if inputs.get("fever_other_cause"):
        fever_may = {False}
    elif temp is not None and temp >= 3800:
        fever_may = {True}
    elif temp is not None and not masked and inputs["site"] not in ("axilla", "skin"):
        fever_may = {False}
    else:
        fever_may = {False, True}
    earlier_may = (
        {inputs["fever_earlier"]} if "fever_earlier" in inputs else {False} if complete else {False, True}
    )
    pressors = inputs.get("vasopressors")
    if pressors is None:
        agents_may = {0} if complete else {0, 1, 2}
    else:
        named = set(pressors) - {"vasopressin", "other"}
        count = len(named) + pressors.count("other")
        agents_may = {2 if count > 1 else 1 if pressors else 0}
    pressure = inputs.get("blood_pressure")
    hypotension_may = {False, True}
    if pressure is not None or complete:
        hypotension_may = {pressure == "hypotension" or bool(pressors)}
    device = inputs.get("oxygen", "room_air" if complete else None)
    spo2 = inputs.get("spo2_tenths")
    need_may = {0, 2, 3, 4}
    if device in LOW:
        need_may = {2}
    elif device in HIGH:
        need_may = {3}
    elif device in PRESSURE:
        need_may = {0} if inputs.get("ventilation_not_for_hypoxia") else {4}
    elif device == "room_air" and (spo2 >= 900 if spo2 is not None else complete):
        need_may = {0}
    elif device is None and inputs.get("ventilation_not_for_hypoxia") and spo2 is not None and spo2 >= 900:
        need_may = {0, 2, 3}
    return (
        fever in fever_may
        and earlier in earlier_may
        and hypotension in hypotension_may
        and agents in agents_may
        and need in need_may
    )


def is_known(inputs: dict[str, Any]) -> bool:
    """Is any key known that the table reads?"""
    if "context" in inputs or {"temperature_cc", "blood_pressure", "vasopressors"} & set(inputs):
        return True
    device = inputs.get("oxygen")
    return device is not None and (device != "room_air" or inputs.get("spo2_tenths", 0) >= 900)


TRUE = st.just(True)
FLAG = st.booleans()
CASES = st.fixed_dictionaries(
    {},
    optional={
        "context": st.just("complete"),
        "temperature_cc": st.sampled_from([2500, 3700, 3749, 3750, 3799, 3800, 3801, 4500]),
        "fever_earlier": FLAG,
        "fever_other_cause": TRUE,
        "antipyretic": FLAG,
        "steroid": FLAG,
        "anticytokine": FLAG,
        "blood_pressure": st.sampled_from(["normal", "hypotension"]),
        "vasopressors": st.lists(
            st.sampled_from(["norepinephrine", "epinephrine", "vasopressin", "other"]), max_size=3
        ),
        "oxygen": st.sampled_from(["room_air", *sorted(LOW | HIGH | PRESSURE)]),
        "ventilation_not_for_hypoxia": TRUE,
        "spo2_tenths": st.sampled_from([500, 860, 899, 900, 901, 1000]),
        "hr_bpm": st.integers(20, 300),
        "fio2_pct": st.integers(21, 100),
        "organ_grade": st.integers(0, 4),
        "ice": st.integers(0, 10),
    },
).flatmap(
    lambda inputs: st.sampled_from(["axilla", "oral", "tympanic", "rectal", "core", "skin"]).map(
        lambda site: {**inputs, "site": site} if "temperature_cc" in inputs else inputs
    )
)


@settings(max_examples=1000, deadline=None)
@given(CASES)
def test_the_interval_is_the_minimum_and_maximum_over_every_world(inputs: dict[str, Any]) -> None:
    grade = case.assess(inputs)["grades"]["ASTCT"]
    told = (grade["lower"], grade["upper"])
    if not is_known(inputs):
        assert told == (None, None)
        assert grade["status"] == "not_gradable"
        return
    worlds = [published(*world) for world in WORLDS if allows(inputs, *world)]
    assert told == (min(worlds), max(worlds))
    assert grade["status"] == "provisional"
    if grade["lower"] < grade["upper"] and not any(
        inputs.get(k) for k in ("antipyretic", "steroid", "anticytokine")
    ):
        assert grade["missing"], "an open interval names what would close it"


@settings(max_examples=500, deadline=None)
@given(CASES)
def test_knowing_more_never_widens_an_interval(inputs: dict[str, Any]) -> None:
    """Every value of one more entry lies within what was said before it."""
    before = case.assess(inputs)["grades"]["ASTCT"]
    if before["lower"] is None:
        return
    extras: dict[str, list[Any]] = {
        "vasopressors": [[], ["norepinephrine"], ["norepinephrine", "dopamine"]],
        "fever_earlier": [False, True],
    }
    if "vasopressors" in inputs:
        extras["blood_pressure"] = ["normal", "hypotension"]
    for key, values in extras.items():
        if key in inputs or "context" in inputs:
            continue
        for value in values:
            after = case.assess({**inputs, key: value})["grades"]["ASTCT"]
            assert before["lower"] <= after["lower"] <= after["upper"] <= before["upper"], (key, value)


@settings(max_examples=500, deadline=None)
@given(CASES)
def test_a_case_without_a_signed_death_never_reaches_five(inputs: dict[str, Any]) -> None:
    for grade in case.assess(inputs)["grades"].values():
        assert grade["upper"] in (None, 0, 1, 2, 3, 4)
        assert grade["status"] != "signed"


def test_the_table_agrees_with_the_reference_on_every_world() -> None:
    needs = {0: "none", 2: "low", 3: "high", 4: "positive_pressure"}
    for fever, earlier, hypotension, agents, need in WORLDS:
        values = {
            "fever": "yes" if fever else "no",
            "fever_earlier": "yes" if earlier else "no",
            "pressure": "hypotension" if hypotension else "held",
            "vasopressors": ("none", "one", "several")[agents],
            "oxygen": needs[need],
        }
        assert grade_of(SCALES[0], values) == published(fever, earlier, hypotension, agents, need)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    [
        "context",
        "temperature_cc",
        "site",
        "vasopressors",
        "oxygen",
        "spo2_tenths",
        "death",
        "vasopressor_hours",
        "x",
    ]
)


@settings(max_examples=800, deadline=None)
@given(st.dictionaries(KEYS, JSON, max_size=4))
def test_anything_else_is_refused_by_name_and_never_crashes(inputs: dict[str, Any]) -> None:
    try:
        case.assess(inputs, DEFAULT)
    except RemoteError as error:
        assert error.args[0].partition(":")[0] in {*inputs, "site"}


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_the_order_of_possible_values_does_not_matter(data: st.DataObject) -> None:
    everything = {
        "fever": ["no", "yes"],
        "fever_earlier": ["no", "yes"],
        "pressure": ["held", "hypotension"],
        "vasopressors": ["none", "one", "several"],
        "oxygen": ["none", "low", "high", "positive_pressure"],
    }
    possible = {
        name: tuple(data.draw(st.lists(st.sampled_from(values), min_size=1, unique=True)))
        for name, values in everything.items()
    }
    grades = [grade_of(SCALES[0], values) for values in completions(SCALES[0].facts, possible)]
    assert interval(SCALES[0], possible) == (min(grades), max(grades))
