"""On every scale the interval is the minimum and maximum over all completions, and nothing makes it look better.

The reference is `tools/rig/plain_tables.py` and `plain_worlds.py`: each published table as plain code, by brute
force over what is missing. The cases come from the generator that also runs on MicroPython; `python -m tools.lab.bench
scales` does the same a hundred thousand times.
"""

import subprocess
import sys
from itertools import combinations
from typing import Any

import pytest
from crs_core.errors import RemoteError
from crs_core.grade import case
from crs_core.grade.rules import DEFAULT
from crs_core.grade.scale import completions, grade_of, interval, matters
from crs_core.grade.scales import FACTS, ICANS, PUBLISHED, SCALES
from hypothesis import given
from hypothesis import strategies as st

from tools.rig import plain_tables, plain_worlds
from tools.rig.case_run import Dice, random_case
from tools.rig.micropython import ROOT, run_micropython

CASES = st.integers(1, 2**31 - 1).map(lambda seed: random_case(Dice(seed)))
ALL = (*SCALES, ICANS)
STATEMENTS = ("fever_other_cause", "ventilation_not_for_hypoxia", "antipyretic", "steroid", "anticytokine")
MEASURED = ("blood_pressure", "systolic_mmhg", "map_mmhg", "baseline_systolic_mmhg", "diastolic_mmhg")


def bounds(inputs: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """{scale: (lower, upper)} of the scales that are gradable."""
    grades = case.assess(inputs)["grades"]
    return {
        name: (grades[name]["lower"], grades[name]["upper"])
        for name in grades
        if grades[name]["lower"] is not None
    }


def check(inputs: dict[str, Any]) -> None:
    for name, grade in case.assess(inputs)["grades"].items():
        told = (grade["lower"], grade["upper"])
        if not plain_worlds.is_gradable(name, inputs):
            assert told == (None, None) and grade["status"] == "not_gradable", (name, inputs)
            continue
        assert grade["status"] == "provisional"
        assert told == plain_worlds.brute(name, inputs), (name, inputs)
        assert grade["ambiguous"] == plain_worlds.is_ambiguous(name, inputs), (name, inputs)
        assert grade["ambiguous"] == bool(grade["other_readings"])


@given(CASES)
def test_every_scale_is_the_minimum_and_maximum_over_all_completions(inputs: dict[str, Any]) -> None:
    check(inputs)


WHOLE = [
    {"temperature_cc": 3790, "site": "axilla", "fever_earlier": False, "blood_pressure": "hypotension",
     "fluids_for_bp": "multiple", "vasopressors": [], "oxygen": "room_air", "spo2_tenths": 950, "transaminase_grade": 3,
     "constitutional": True},
    {"temperature_cc": 3700, "site": "oral", "vasopressors": ["vasopressin", "dopamine"], "vasopressor_dose": "high",
     "vasopressor_hours": 30, "refractory": False, "oxygen": "cpap", "fio2_pct": 45, "organ_grade": 2,
     "creatinine_grade": 2},
    {"ice": 6, "consciousness": "voice", "seizure": "none", "motor_weakness": False, "cerebral_oedema": "none",
     "age_months": 200},
    {"temperature_cc": 3900, "site": "core", "hospitalised_for_crs": True, "coagulopathy_treated": False,
     "creatinine_grade": 1, "transaminase_grade": 1, "systolic_mmhg": 95, "baseline_systolic_mmhg": 130,
     "age_months": 600, "oxygen": "bipap", "ventilation_not_for_hypoxia": True},
]  # fmt: skip


@pytest.mark.parametrize("whole", WHOLE)
@pytest.mark.parametrize("complete", [False, True])
def test_every_subset_of_missing_keys(whole: dict[str, Any], complete: bool) -> None:
    keys = [key for key in whole if key != "site"]
    for count in range(len(keys) + 1):
        for kept in combinations(keys, count):
            inputs = {key: whole[key] for key in kept}
            if "temperature_cc" in inputs:
                inputs["site"] = whole["site"]
            check({**inputs, "context": "complete"} if complete else inputs)


def test_every_published_scale_has_its_plain_table() -> None:
    assert set(plain_tables.TABLES) == set(PUBLISHED)


def test_an_input_that_is_missing_leaves_every_value_that_a_table_may_ask_for() -> None:
    for name, fact in FACTS.items():
        assert fact.read({}, DEFAULT).values == fact.values
        if name not in ("fever", "score"):
            assert fact.read({"context": "complete"}, DEFAULT).values == fact.values[:1]


@given(st.data())
def test_the_evaluator_takes_no_wrong_short_cut(data: st.DataObject) -> None:
    """Row by row gives what every completion of the whole table gives, for the interval and for what matters."""
    scale = data.draw(st.sampled_from(ALL))
    possible = {}
    for name in scale.facts:
        values = st.lists(st.sampled_from(FACTS[name].values), min_size=1, max_size=3, unique=True)
        possible[name] = tuple(data.draw(values))
    graded = [(values, grade_of(scale, values)) for values in completions(scale.facts, possible)]
    grades = [grade for _, grade in graded]
    assert interval(scale, possible) == (min(grades), max(grades))
    for fact in scale.facts:
        seen: dict[tuple[Any, ...], set[int]] = {}
        for values, grade in graded:
            seen.setdefault(tuple(values[name] for name in scale.facts if name != fact), set()).add(grade)
        assert matters(scale, possible, fact) == any(len(one) > 1 for one in seen.values()), fact


# from better to worse; a pressure that is not judged and a device whose need is open are compared elsewhere
WORSE: dict[str, list[Any]] = {
    "temperature_cc": [3700, 3799, 3800, 4060],
    "fever_earlier": [False, True],
    "constitutional": [False, True],
    "blood_pressure": ["normal", "hypotension"],
    "systolic_mmhg": [120, 100, 99, 90, 89, 79, 60],
    "map_mmhg": [90, 65, 64, 40],
    "baseline_systolic_mmhg": [100, 124, 125, 180],
    "fluids_for_bp": ["none", "single", "multiple"],
    "vasopressors": [[], ["vasopressin"], ["vasopressin", "other"], ["vasopressin", "other", "other"]],
    "vasopressor_dose": ["low", "high"],
    "vasopressor_hours": [0, 23, 24, 100],
    "refractory": [False, True],
    "oxygen": [
        "nasal_cannula_low",
        "blow_by",
        "nasal_cannula_high",
        "face_mask",
        "cpap",
        "invasive_ventilation",
    ],
    "fio2_pct": [21, 39, 40, 100],
    "spo2_tenths": [970, 900, 899, 500],
    "organ_grade": [0, 1, 2, 3, 4],
    "transaminase_grade": [0, 1, 2, 3, 4],
    "creatinine_grade": [0, 1, 2, 3, 4],
    "coagulopathy_treated": [False, True],
    "hospitalised_for_crs": [False, True],
    "ice": list(range(10, -1, -1)),
    "capd": [0, 1, 8, 9, 32],
    "consciousness": ["spontaneous", "voice", "touch", "unarousable"],
    "seizure": ["none", "brief", "prolonged"],
    "motor_weakness": [False, True],
    "cerebral_oedema": ["none", "focal", "diffuse"],
}
# what a question may be answered with: a saturation that settles room air
ANSWERS = WORSE | {"spo2_tenths": [900, 970]}


@given(CASES, st.sampled_from(ALL), st.data())
def test_answering_what_is_missing_closes_the_interval_and_never_widens_it(
    inputs: dict[str, Any], scale: Any, data: st.DataObject
) -> None:
    """What is named is what would close it; only a masked fever stays open, as no input settles that."""
    inputs = dict(inputs)
    if scale is ICANS:
        inputs.setdefault("seizure", "none")
    grade = case.assess(inputs)["grades"][scale.name]
    for _ in range(30):
        if not grade["missing"]:
            break
        key = data.draw(st.sampled_from(grade["missing"]))
        inputs[key] = data.draw(st.sampled_from(ANSWERS[key]))
        if key == "temperature_cc":
            inputs["site"] = "oral"
        before, grade = grade, case.assess(inputs)["grades"][scale.name]
        if before["lower"] is not None:
            assert before["lower"] <= grade["lower"] <= grade["upper"] <= before["upper"], key
    assert not grade["missing"]
    masked = any(inputs.get(drug) for drug in ("antipyretic", "steroid", "anticytokine"))
    assert grade["lower"] is None or grade["lower"] == grade["upper"] or masked


@given(CASES, st.sampled_from(sorted(WORSE)), st.data())
def test_a_worse_input_never_lowers_a_bound(inputs: dict[str, Any], key: str, data: st.DataObject) -> None:
    inputs = dict(inputs)
    if key == "oxygen":
        inputs.pop("ventilation_not_for_hypoxia", None)
    if key == "temperature_cc":
        inputs.setdefault("site", "oral")
    at = data.draw(st.integers(0, len(WORSE[key]) - 2))
    worse = bounds({**inputs, key: WORSE[key][data.draw(st.integers(at + 1, len(WORSE[key]) - 1))]})
    for name, (lower, upper) in bounds({**inputs, key: WORSE[key][at]}).items():
        if name not in worse:
            # a saturation that no longer settles room air leaves nothing known
            assert key == "spo2_tenths" and lower == 0
        else:
            assert worse[name][0] >= lower and worse[name][1] >= upper, (name, key)


@given(CASES)
def test_room_air_that_is_settled_is_better_than_any_device(inputs: dict[str, Any]) -> None:
    inputs = {key: value for key, value in inputs.items() if key != "ventilation_not_for_hypoxia"}
    air = bounds({**inputs, "oxygen": "room_air", "spo2_tenths": 960})
    for device in plain_tables.DEVICES:
        for name, (lower, upper) in bounds({**inputs, "oxygen": device}).items():
            assert name == "ICANS" or (lower >= air[name][0] and upper >= air[name][1])


@given(CASES, st.data())
def test_a_lost_input_never_raises_lower_nor_lowers_upper(
    inputs: dict[str, Any], data: st.DataObject
) -> None:
    """Lost means no longer known. A statement that is withdrawn is not lost, nor is what `complete` then says is none.

    The values that one pressure rule reads together are lost together, and so is the second of two scores where one
    patient has only one: keys that contradict one another are each read by their own row.
    """
    inputs = dict(inputs)
    if inputs.pop("context", None):
        whole = {**inputs, "context": "complete"}
        inputs, lost = whole, ["context"]
    else:
        lost = [data.draw(st.sampled_from(sorted(inputs) or ["nothing"]))]
    if lost[0] in STATEMENTS:
        return
    if lost[0] in ("temperature_cc", "site"):
        lost = ["temperature_cc", "site"]
    if lost[0] in MEASURED:
        lost = list(MEASURED)
    if lost[0] in ("ice", "capd", "age_months") and {"ice", "capd"} <= set(inputs):
        lost = ["ice", "capd"]
    if lost[0] == "age_months" and inputs["age_months"] < 12:
        return  # below one year no pressure rule is given: an unknown age stands for the ages that have one
    after = bounds({key: value for key, value in inputs.items() if key not in lost})
    for name, (lower, upper) in bounds(inputs).items():
        if name in after:
            assert after[name][0] <= lower and after[name][1] >= upper, (name, lost)


@given(CASES, st.sampled_from([None, "crs", "icans", "other"]))
def test_a_five_comes_from_the_signed_death_of_that_syndrome_only(
    inputs: dict[str, Any], death: str | None
) -> None:
    if death is not None:
        inputs = {**inputs, "death": death}
    for name, grade in case.assess(inputs)["grades"].items():
        is_signed = death == ("icans" if name == "ICANS" else "crs")
        assert (grade["upper"] == 5) == (grade["lower"] == 5) == (grade["status"] == "signed") == is_signed


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


@given(st.dictionaries(KEYS, JSON, max_size=4))
def test_anything_else_is_refused_by_name_and_never_crashes(inputs: dict[str, Any]) -> None:
    try:
        case.assess(inputs, DEFAULT)
    except RemoteError as error:
        assert error.args[0].partition(":")[0] in {*inputs, "site"}


def test_random_cases_are_told_the_same_word_for_word_on_both_runtimes() -> None:
    script = ROOT / "tools/rig/case_run.py"
    args = ["2000", "20261124"]
    done = run_micropython(script, *args, heap="8M")
    here = subprocess.run(
        [sys.executable, str(script), *args],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'firmware'}"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == here.stdout != ""
