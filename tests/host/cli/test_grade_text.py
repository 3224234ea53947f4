"""The answer of `cytowatch grade --text`: every scale, what is not known, both readings, and no reassurance."""

import json

import pytest
from crs_core.grade import case

from host_agent.terminal.grade_lines import grade_lines
from tests.docs.test_forbidden_words import FORBIDDEN
from tools.rig.micropython import ROOT


def text_of(**inputs: object) -> str:
    return "\n".join(grade_lines({"a": case.assess(inputs)}))


def line_of(text: str, scale: str) -> str:
    (line,) = [
        line for line in text.splitlines() if line.startswith(f"  {scale} ") and "may also" not in line
    ]
    return line


def test_an_open_case_says_the_bounds_and_what_is_not_known() -> None:
    text = text_of(temperature_cc=3840, site="axilla")
    assert text.startswith(
        "Research prototype, not a medical device.\n\na: fever criterion met\n  MEDIUM FEVER\n"
    )
    said = line_of(text, "ASTCT 2019")
    assert "at least 1, could be up to 4, not signed" in said
    assert said.endswith("blood pressure, vasopressors, oxygen")
    assert "CTCAE 5.0" in text and "v5" not in text and "ICANS" not in text


def test_an_ambiguous_case_says_the_other_reading() -> None:
    text = text_of(temperature_cc=3840, site="oral", oxygen="cpap", fio2_pct=45, context="complete")
    assert "3, ambiguous, not signed" in line_of(text, "MSKCC 2018")
    assert "\n  MSKCC 2018 may also be read as 4: CPAP or BiPAP is read by inspired oxygen" in text
    assert "ambiguous" not in line_of(text, "Penn 2018") and "  Penn 2018 may also" not in text


def test_a_signed_death_is_the_only_five_and_the_only_thing_signed() -> None:
    assert "5, signed" in line_of(text_of(death="icans", ice=0), "ICANS 2019")
    assert text_of(death="icans").count(", signed") == 1 and text_of(death="crs").count("5, signed") == 7


@pytest.mark.parametrize("inputs", [{}, {"hr_bpm": 80}])
def test_nothing_known_is_not_gradable(inputs: dict[str, object]) -> None:
    assert text_of(**inputs).count("not gradable, not signed") == 7


def test_no_worked_case_reassures() -> None:
    for vector in json.loads((ROOT / "tests/vectors/scales.json").read_text()):
        text = text_of(**vector["inputs"])
        assert not FORBIDDEN.search(text), vector["id"]
        for scale, (lower, upper) in vector["expected"].items():
            if (lower, upper) == (0, 0):
                assert "no criterion met on what was entered" in text, (vector["id"], scale)
