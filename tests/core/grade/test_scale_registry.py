"""A scale is its file and one line: a new one is found everywhere, and one that lacks something is refused by name."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from crs_core.errors import LocalError, RemoteError
from crs_core.grade.scale import grade, make, parameter
from crs_core.grade.scales import penn, registry
from crs_core.grade.scales.parts import Case, Missing, Reason, one_key, reading

from tools.rig.micropython import ROOT

TOY = '''"""Toys as data."""

from crs_core.grade.scale import grade, make, parameter
from crs_core.grade.scales.parts import Case, Missing, OtherReading, Reason, one_key, reading
from crs_core.grade.scales.shared_rows import FEVER_CASES, FEVER_ROW, GATE_READINGS

_ONE_BOLUS = Reason(201, "One bolus is read as 2; the other reading is 1.")
PAPER = "Toymaker A, J Toys 2099;1:1"
SCALE = make(
    number=99,
    name="Toy",
    version=2099,
    rows=(
        FEVER_ROW,
        parameter(
            "boluses",
            ("boluses",),
            grade(2, "a bolus", boluses="single"),
            grade(3, "boluses again and again", boluses="multiple"),
            others=(reading(1, _ONE_BOLUS, boluses="single"),),
        ),
    ),
    other_gate=(("fever", "yes"),),
)
PEOPLE_JUDGE = "People count the boluses."
FACTS = (
    one_key(
        "boluses",
        Missing(24, "fluids_for_bp", "fluids for the blood pressure"),
        values=("none", "single", "multiple"),
        says={"multiple": Reason(200, "Boluses again and again.")},
        words={"single": "one bolus", "multiple": "more boluses"},
    ),
)
CASES = FEVER_CASES + (
    Case("boluses", 2, {"fluids_for_bp": "single"}, (), {"fluids_for_bp": "none"}, 0),
    Case("boluses", 3, {"fluids_for_bp": "multiple"}, ("Boluses again and again.",), {"fluids_for_bp": "single"}, 2),
)
READINGS = (OtherReading({"fluids_for_bp": "single", "temperature_cc": 3800}, 1, _ONE_BOLUS),) + tuple(
    [one._replace(inputs={"fever_earlier": False, "fluids_for_bp": "multiple"}) for one in GATE_READINGS]
)
'''


def test_a_new_scale_is_its_file_and_one_line(tmp_path: Path) -> None:
    git = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True)
    folders = ("firmware/crs_core/", "host_agent/", "tools/", "tests/core/grade/", "tests/vectors/")
    for name in listed.stdout.splitlines():
        if name.startswith(folders) and (ROOT / name).exists():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    folder = tmp_path / "firmware/crs_core/grade/scales"
    (folder / "toy.py").write_text(TOY)
    line = '    "icans",\n'
    text = (folder / "__init__.py").read_text()
    assert text.count(line) == 1
    (folder / "__init__.py").write_text(text.replace(line, line + '    "toy",\n'))

    def run(*args: str) -> str:
        done = subprocess.run(
            [sys.executable, "-B", *args],
            cwd=tmp_path,
            env={"PYTHONPATH": f"{tmp_path}:{tmp_path / 'firmware'}", "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    cases = tmp_path / "cases.json"
    cases.write_text(
        json.dumps({"a": {"fluids_for_bp": "multiple"}, "b": {"temperature_cc": 3840, "site": "oral"}})
    )
    command = ("-c", "from host_agent.cli.main import main; main()")
    told = json.loads(run(*command, "grade", "--json", str(cases)))
    toy = told["a"]["grades"]["Toy"]
    assert (toy["version"], toy["lower"], toy["upper"]) == (2099, 3, 3)
    assert toy["reasons"] == ["Boluses again and again."]
    assert told["b"]["grades"]["Toy"]["missing"] == ["fluids_for_bp"]
    assert "Toy 2099" in run(*command, "grade", "--json", str(cases), "--text")
    assert "Toy" in run(*command, "sign", "grade", "--help")

    page = run("-m", "tools.dev.grade_tables").partition("#### `Toy`, version 2099")[2]
    assert "Toymaker A, J Toys 2099;1:1." in page and "People count the boluses." in page
    assert "| boluses (1) |  | one bolus | more boluses |  |" in page
    assert "1. One bolus is read as 2; the other reading is 1." in page

    tests = run(
        "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rA", "tests/core/grade/test_scales.py", "-k", "Toy"
    )
    assert tests.count("\nPASSED") == 5, "three cells, two other readings"


CITED = grade(2, "cited", hospitalised="yes")


def row(*cells: Any, name: str = "r", facts: tuple[str, ...] = ("hospitalised",), others: Any = ()) -> Any:
    return parameter(name, facts, *cells, others=others)


def scale_file(*rows: Any, scale: Any = None, **changes: Any) -> SimpleNamespace:
    """A complete scale file with other rows, other words about the scale and other parts; None takes a part away."""
    told = {"number": 77, "name": "S", "version": 2001, "rows": rows or (row(CITED),), **(scale or {})}
    parts = {
        "__name__": "scales.s",
        "SCALE": make(**told),
        "PAPER": "A paper",
        "PEOPLE_JUDGE": "People judge.",
        "FACTS": (),
        "CASES": (Case("r", 2, {}, (), {}, 0), Case("r2", 2, {}, (), {}, 0)),
        "READINGS": (),
        **changes,
    }
    return SimpleNamespace(**{name: part for name, part in parts.items() if part is not None})


def fact(name: str, number: int = 200, says: int = 200, key: str = "refractory") -> Any:
    return one_key(name, Missing(number, key, "text"), {"yes": Reason(says, "Text.")}, {"yes": "words"})


def other(number: int) -> Any:
    return (reading(1, Reason(number, "Other."), hospitalised="yes"),)


def test_a_complete_file_is_taken() -> None:
    found = registry.gather([penn, scale_file(FACTS=(fact("own"),))])
    assert list(found.published) == ["Penn", "S"]
    assert found.published["S"].title == "S 2001" and found.published["S"].cited == {("r", 2): ["cited"]}
    assert found.reason_texts[200] == "Text." and found.missing_keys[200] == "refractory"


PARTS = ("SCALE", "PAPER", "PEOPLE_JUDGE", "FACTS", "CASES", "READINGS")
HALF = [
    *[(scale_file(**{part: None}), f"scale file s: {part} is missing") for part in PARTS],
    (scale_file(PAPER=""), "scale file s: PAPER is missing"),
    (scale_file(PEOPLE_JUDGE=""), "scale file s: PEOPLE_JUDGE is missing"),
    (scale_file(CASES=()), "scale file s: CASES is missing"),
    (scale_file(scale={"name": ""}), "scale file s: the name or the version is missing"),
    (scale_file(scale={"version": 0}), "scale file s: the name or the version is missing"),
    (scale_file(scale={"number": None}), "scale S: its number is None"),
    (scale_file(scale={"number": 0}), "scale S: its number is 0"),
    (scale_file(scale={"number": 256}), "scale S: its number is 256"),
    (scale_file(scale={"number": 5}), "scale S: number 5 is that of Penn"),
    (scale_file(scale={"name": "Penn"}), "scale Penn: there are two of this name"),
    (scale_file(scale={"other_gate": (("toys", "yes"),)}), "S: the gate: no file declares the fact toys"),
    (scale_file(scale={"gate": (("fever", "hot"),)}), "S: the gate: the fact fever is never 'hot'"),
    (scale_file(CITED={("r", 3): "x"}), "scale S: row r, grade 3 is cited and no cell"),
    (scale_file(row(grade(2, hospitalised="yes"))), "scale S: row r, grade 2 cites nothing"),
    (scale_file(row(CITED, name="q")), "scale S: row q: no case tests grade 2"),
    (scale_file(row(grade(3, "x", hospitalised="yes"))), "scale S: row r: no case tests grade 3"),
    (scale_file(row(grade(2, "x", toys="yes"), facts=("toys",))), "row r: no file declares the fact toys"),
    (scale_file(row(grade(2, "x", hospitalised="maybe"))), "the fact hospitalised is never 'maybe'"),
    (scale_file(row(grade(2, "x", hospitalised="no"))), "fact hospitalised has no words for 'no'"),
    (scale_file(row(CITED, facts=("hospitalised", "fever"))), "['fever', 'hospitalised'] and reads ['hosp"),
    (scale_file(row(CITED, facts=())), "row r: lists the facts [] and reads ['hospitalised']"),
    (scale_file(row(grade(5, "x", hospitalised="yes"))), "row r: its grades do not rise from 1 to 4"),
    (scale_file(row(CITED, grade(1, "x", hospitalised="yes"))), "row r: its grades do not rise from 1 to 4"),
    (scale_file(row(CITED), row(CITED)), "scale S: two rows have one name"),
    (scale_file(row(CITED), row(CITED, name="r2")), "scale S: two rows read the fact hospitalised"),
    (scale_file(row(CITED, others=other(110))), "row r: the number 110 is not free for the reason 'Other.'"),
    (scale_file(row(CITED, others=other(99))), "row r: the number 99 is not free"),
    (scale_file(FACTS=(fact("fever"),)), "scale S: the fact fever exists already"),
    (scale_file(FACTS=(fact("own", says=1),)), "S: the number 1 is not free for the reason 'Text.'"),
    (scale_file(FACTS=(fact("own", says=256),)), "the number 256 is not free"),
    (scale_file(FACTS=(fact("own", number=30),)), "the number 30 is not free for the input refractory"),
    (scale_file(FACTS=(fact("own", number=19),)), "the number 19 is not free"),
    (scale_file(FACTS=(fact("own", number=256),)), "the number 256 is not free"),
    (scale_file(DEATH=Reason(110, "Death.")), "the number 110 is not free for the reason 'Death.'"),
]


@pytest.mark.parametrize(("file", "said"), HALF, ids=[said for _, said in HALF])
def test_a_half_registered_scale_is_refused_by_its_name(file: SimpleNamespace, said: str) -> None:
    with pytest.raises(LocalError) as refused:
        registry.gather([penn, file])
    assert said in refused.value.args[0]


def test_an_input_that_nobody_can_enter_is_refused() -> None:
    with pytest.raises(RemoteError, match="toys: unknown key"):
        registry.gather([scale_file(FACTS=(fact("own", key="toys"),))])
