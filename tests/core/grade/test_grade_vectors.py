"""Worked cases, each with the interval that a person worked out from the published table."""

import json
from pathlib import Path

import pytest
from crs_core.grade import case

from tools.rig.micropython import run_micropython

ROOT = Path(__file__).resolve().parents[3]
VECTORS = json.loads((ROOT / "tests/vectors/grades.json").read_text())


def told(inputs: dict) -> tuple:
    """What a case says, in the words of the vector file."""
    answer = case.assess(inputs)
    grade = answer["grades"]["ASTCT"]
    alarms = [f"{alarm['name']}:{alarm['priority']}" for alarm in answer["alarms"]]
    return grade["lower"], grade["upper"], answer["fever"], alarms, grade["ambiguous"]


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_a_case_is_graded_as_the_table_says(vector: dict) -> None:
    expected = tuple(vector[key] for key in ("lower", "upper", "fever", "alarms", "ambiguous"))
    assert told(vector["inputs"]) == expected, vector["why"]


@pytest.mark.parametrize(
    "vector", [v for v in VECTORS if "missing" in v], ids=[v["id"] for v in VECTORS if "missing" in v]
)
def test_a_case_names_what_is_missing(vector: dict) -> None:
    assert case.assess(vector["inputs"])["grades"]["ASTCT"]["missing"] == vector["missing"]


def test_the_vectors_hold_every_grade_and_not_gradable() -> None:
    assert {vector["lower"] for vector in VECTORS} == {None, 0, 1, 2, 3, 4, 5}
    assert len({vector["id"] for vector in VECTORS}) == len(VECTORS)


def test_status_follows_from_what_is_known() -> None:
    def status(inputs: dict) -> str:
        return str(case.assess(inputs)["grades"]["ASTCT"]["status"])

    assert status({}) == "not_gradable"
    assert status({"temperature_cc": 3840, "site": "axilla"}) == "provisional"
    assert status({"death": "crs"}) == "signed"
    assert status({"death": "icans"}) == "not_gradable"


def test_the_same_vectors_hold_on_micropython() -> None:
    done = run_micropython(
        ROOT / "tests/micropython/grade_vectors.py", str(ROOT / "tests/vectors/grades.json")
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split() == ["checked", str(len(VECTORS))]
