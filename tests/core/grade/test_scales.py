"""Every scale as its file states it: each cell with its citation, each other reading, and what an entry says.

The cases stand in the scale's own file, written down from its paper; here is what holds for each of them.
"""

import json
from typing import Any

import pytest
from crs_core.grade import case
from crs_core.grade.rules import DEFAULT
from crs_core.grade.scale import row_grade
from crs_core.grade.scales import FACTS, PUBLISHED
from crs_core.grade.scales.parts import Case, OtherReading

from tools.rig.micropython import ROOT, run_micropython

PATH = ROOT / "tests/vectors/scales.json"
VECTORS = json.loads(PATH.read_text())
CRS = ("ASTCT", "Lee14", "v5", "v6", "Penn", "CARTOX", "MSKCC")
# Everything was asked and there is none, no fever now, fever of the syndrome before: only what is added gives a grade.
BASE = {"temperature_cc": 3799, "site": "oral", "fever_earlier": True, "context": "complete"}
BELOW = "Below 38.00 °C at a site that settles the fever row."
EARLIER = "The fever criterion was met earlier in this episode."

CELLS = [(name, cell) for name, one in PUBLISHED.items() for cell in one.cases]
READINGS = [(name, reading) for name, one in PUBLISHED.items() for reading in one.readings]


def graded(scale: str, inputs: dict[str, Any]) -> dict[str, Any]:
    grade: dict[str, Any] = case.assess({**BASE, **inputs})["grades"][scale]
    assert grade["status"] == "provisional" and grade["missing"] == []
    return grade


def said(grade: dict[str, Any], expected: tuple[str, ...]) -> list[str]:
    """The reasons without those of the base case, which are told of only where they are what was changed."""
    known = (BELOW, EARLIER, *[reading["why"] for reading in grade["other_readings"]])
    return [text for text in grade["reasons"] if text in expected or text not in known]


def citation(numbered: tuple[int, tuple[str, Case]]) -> str:
    number, (scale, cell) = numbered
    one = PUBLISHED[scale]
    text = " / ".join(one.cited[cell.row, cell.grade])
    return f"{number}-{one.paper}; row {cell.row}, grade {cell.grade}: {text}".replace("::", ":")


@pytest.mark.parametrize(("scale", "cell"), CELLS, ids=map(citation, enumerate(CELLS)))
def test_a_cell_grades_its_case_and_not_the_near_miss(scale: str, cell: Case) -> None:
    grade, near = graded(scale, cell.inputs), graded(scale, cell.near)
    assert (grade["lower"], grade["upper"]) == (cell.grade, cell.grade)
    assert (near["lower"], near["upper"]) == (cell.below, cell.below) and cell.below < cell.grade
    assert said(grade, cell.says) == list(cell.says)
    facts = {name: FACTS[name].read({**BASE, **cell.inputs}, DEFAULT).values for name in FACTS}
    values = {name: found[0] for name, found in facts.items() if len(found) == 1}
    by_row = {row.name: row_grade(row, values) for row in PUBLISHED[scale].scale.rows}
    assert by_row.pop(cell.row) == cell.grade
    assert max(by_row.values()) == 0, "another row grades this case too"


def test_every_case_is_of_a_cell() -> None:
    for scale, cell in CELLS:
        assert (cell.row, cell.grade) in PUBLISHED[scale].cited, (scale, cell)


@pytest.mark.parametrize(
    ("scale", "other"), READINGS, ids=[f"{n}-{one[0]}" for n, one in enumerate(READINGS)]
)
def test_an_ambiguous_case_tells_the_other_reading(scale: str, other: OtherReading) -> None:
    grade = graded(scale, other.inputs)
    why = other.why.text
    assert grade["other_readings"] == [{"lower": other.reads, "upper": other.reads, "why": why}]
    assert grade["reasons"].count(why) == 1 and grade["ambiguous"]
    assert grade["lower"] == grade["upper"] != other.reads


def test_every_other_reading_has_a_case() -> None:
    for name, one in PUBLISHED.items():
        told = {reading.why for reading in one.readings}
        possible = {why for row in one.scale.rows for _, _, why in row.others}
        possible |= {FACTS[fact].otherwise for fact in one.scale.facts if FACTS[fact].otherwise}
        assert possible <= told, name
        assert len(told - possible) == (1 if one.scale.other_gate else 0), "the fever gate"


SAYS: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("ASTCT", {"site": "axilla"}, ("Below 38.00 °C at the axilla, which does not exclude fever.",)),
    ("ASTCT", {"site": "skin"}, ("Below 38.00 °C on the skin, which cannot exclude fever.",)),
    (
        "ASTCT",
        {"steroid": True},
        ("A drug that hides fever was given: a temperature below 38.00 °C says nothing.",),
    ),
    ("ASTCT", {"fever_earlier": True}, (BELOW, EARLIER)),
    ("Lee14", {"oxygen": "venturi", "fio2_pct": 39}, ("High-flow cannula or mask oxygen.",)),
    ("Lee14", {"oxygen": "room_air", "fio2_pct": 60}, ()),
    ("Lee14", {"vasopressors": [], "vasopressor_dose": "high"}, ()),
    ("Lee14", {"organ_grade": 1}, ("Organ toxicity of grade 1, transaminases apart.",)),
    ("MSKCC", {"vasopressors": ["other"], "vasopressor_hours": 23}, ("One vasopressor.",)),
    ("MSKCC", {"vasopressors": [], "vasopressor_hours": 48}, ()),
    ("MSKCC", {"blood_pressure": "hypotension", "fluids_for_bp": "single"}, ()),
    ("v5", {"constitutional": True, "organ_grade": 3}, ()),
    ("Penn", {"fluids_for_bp": "multiple"}, ("Several fluid boluses for the blood pressure.",)),
    ("Penn", {"fluids_for_bp": "single"}, ()),
    ("Penn", {"creatinine_grade": 1}, ("Creatinine of grade 1.",)),
    ("Penn", {"transaminase_grade": 1}, ("Transaminases of grade 1.",)),
    ("Penn", {"transaminase_grade": 2}, ("Transaminases of grade 2.",)),
    ("Penn", {"creatinine_grade": 0, "transaminase_grade": 0, "coagulopathy_treated": False}, ()),
    ("ICANS", {"ice": 10, "capd": 0}, ()),
    ("ICANS", {"ice": 9, "capd": 9}, ("ICE score of 7 to 9.", "CAPD score of 9 or above.")),
    ("ICANS", {"ice": 9, "capd": 9, "age_months": 144}, ("ICE score of 7 to 9.",)),
    ("ICANS", {"consciousness": "spontaneous", "seizure": "none", "cerebral_oedema": "none"}, ()),
]


@pytest.mark.parametrize(
    ("scale", "inputs", "says"), SAYS, ids=[f"{n}-{one[0]}" for n, one in enumerate(SAYS)]
)
def test_an_entry_says_what_it_was_read_as_and_nothing_where_no_row_asks(
    scale: str, inputs: dict[str, Any], says: tuple[str, ...]
) -> None:
    assert said(case.assess({**BASE, **inputs})["grades"][scale], says) == list(says)


def test_a_reading_that_changes_nothing_is_not_told() -> None:
    """Ventilated and on two vasopressors: 4 by either reading."""
    inputs = {"vasopressors": ["other", "other"], "oxygen": "invasive_ventilation"}
    assert not graded("v5", inputs)["ambiguous"] and not graded("v5", inputs)["other_readings"]


# --- worked cases on every scale


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_a_case_is_graded_on_every_scale_as_its_table_says(vector: dict[str, Any]) -> None:
    grades = case.assess(vector["inputs"])["grades"]
    of_the_vectors = {name: grade for name, grade in grades.items() if name in (*CRS, "ICANS")}
    told = {name: [grade["lower"], grade["upper"]] for name, grade in of_the_vectors.items()}
    assert told == vector["expected"]
    ambiguous = [name for name, grade in of_the_vectors.items() if grade["ambiguous"]]
    assert ambiguous == vector["ambiguous"], vector["why"]
    for name, grade in grades.items():
        status = {None: "not_gradable", 5: "signed"}.get(grade["upper"], "provisional")
        assert grade["status"] == status, name


def test_the_vectors_hold_every_grade_of_every_scale() -> None:
    assert len({vector["id"] for vector in VECTORS}) == len(VECTORS)
    for scale in (*CRS, "ICANS"):
        expected = [vector["expected"][scale] for vector in VECTORS if scale in vector["expected"]]
        assert {lower for lower, upper in expected if lower == upper} >= {0, 1, 2, 3, 4, 5}, scale


def test_the_same_vectors_hold_on_micropython() -> None:
    done = run_micropython(ROOT / "tests/micropython/scale_vectors.py", str(PATH))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split() == ["checked", str(len(VECTORS))]
