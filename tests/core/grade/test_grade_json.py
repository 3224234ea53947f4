"""`cytowatch grade --json FILE`: shape of the answer, and refusals that name the case and the key."""

import json
from pathlib import Path

import pytest
from crs_core.errors import RemoteError

from host_agent.views.grade_json import grade_file

ROOT = Path(__file__).resolve().parents[3]


def write(path: Path, content: object) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_a_list_of_cases_is_answered_by_id(tmp_path: Path) -> None:
    cases = [
        {
            "id": "a",
            "text": "a comment",
            "inputs": {"temperature_cc": 3840, "site": "axilla", "spo2_tenths": 860},
        },
        {"id": "b", "inputs": {}},
    ]
    answer = grade_file(write(tmp_path / "cases.json", cases))
    assert list(answer) == ["a", "b"]
    assert {key: answer["a"][key] for key in ("fever", "alarms")} == {
        "fever": "met",
        "alarms": [{"name": "FEVER", "priority": "MEDIUM"}, {"name": "HYPOXAEMIA", "priority": "HIGH"}],
    }
    assert list(answer["a"]["grades"]) == ["ASTCT", "Lee14", "v5", "v6", "Penn", "CARTOX", "MSKCC"]
    assert answer["a"]["grades"]["ASTCT"] == {
        "version": 2019,
        "lower": 1,
        "upper": 4,
        "status": "provisional",
        "ambiguous": False,
        "other_readings": [],
        "reasons": ["Temperature at or above 38.00 °C."],
        "missing": ["blood_pressure", "vasopressors", "oxygen"],
    }
    assert answer["a"]["grades"]["MSKCC"]["missing"] == [
        "vasopressors",
        "vasopressor_hours",
        "refractory",
        "oxygen",
        "fio2_pct",
    ]
    assert answer["b"]["grades"]["ASTCT"]["lower"] is None
    assert answer["b"]["grades"]["ASTCT"]["status"] == "not_gradable"
    assert json.loads(json.dumps(answer)) == answer


def test_an_object_of_inputs_is_answered_too(tmp_path: Path) -> None:
    answer = grade_file(write(tmp_path / "c.json", {"x": {"temperature_cc": 3700, "site": "axilla"}}))
    assert answer["x"]["fever"] == "not_met"


def test_the_vector_file_itself_can_be_graded() -> None:
    answer = grade_file(ROOT / "tests/vectors/grades.json")
    for vector in json.loads((ROOT / "tests/vectors/grades.json").read_text()):
        grade = answer[vector["id"]]["grades"]["ASTCT"]
        assert (grade["lower"], grade["upper"]) == (vector["lower"], vector["upper"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("5", "list of cases"),
        ([5], "case number 1"),
        ([{"inputs": {}}], "case number 1"),
        ([{"id": 7, "inputs": {}}], "case number 1"),
        ([{"id": "a"}], "case number 1"),
        ([{"id": "a", "inputs": {}}, {"id": "a", "inputs": {}}], "case a: appears twice"),
        ([{"id": "a", "inputs": []}], "case a:"),
        ([{"id": "a", "inputs": {}}, {"id": "b", "inputs": {"bp": 1}}], "case b: bp: unknown key"),
        ('{"a": {"hr_bpm": 80, "hr_bpm": 90}}', "hr_bpm: given twice"),
        ('{"a": {"vasopressor_hours": NaN}}', "NaN"),
        ('{"a": {"vasopressor_hours": Infinity}}', "Infinity"),
    ],
)
def test_a_file_that_cannot_be_graded_says_why(tmp_path: Path, content: object, said: str) -> None:
    with pytest.raises(RemoteError) as refused:
        grade_file(write(tmp_path / "bad.json", content))
    assert said in refused.value.args[0]


def test_a_missing_file_and_a_folder_say_why(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(RemoteError) as refused:
            grade_file(path)
        assert str(path) in refused.value.args[0]


def test_bytes_that_are_not_text_say_why(tmp_path: Path) -> None:
    path = tmp_path / "binary.json"
    path.write_bytes(b"\xff\xfe\x00[")
    with pytest.raises(RemoteError):
        grade_file(path)
