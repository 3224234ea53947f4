"""The answer of `cytowatch grade` in lines for people: fever, alarms, and each scale with what is not known.

Takes what `views/grade_json.py` returns. Every line of a scale says whether it is signed; an ambiguous one says the
other reading as well.
"""

from collections.abc import Iterator
from typing import Any

from crs_core.grade.scales import PUBLISHED

from host_agent import NOTICE
from host_agent.text import span_text, table
from host_agent.views.grade_text import bounds_text, grade_cell, missing_text

_HEADER = ("scale", "grade", "not known")
_FEVER = {
    "met": "fever criterion met",
    "possible": "fever possible",
    "not_met": "fever criterion not met where it was measured",
    "masked": "fever may be hidden by a drug",
    "unknown": "fever not known",
}


def grade_lines(answers: dict[str, Any]) -> Iterator[str]:
    """Lines of every case, a blank line between two."""
    yield NOTICE
    for name, answer in answers.items():
        yield ""
        yield f"{name}: {_FEVER[answer['fever']]}"
        yield from _case_lines(answer)


def _case_lines(answer: dict[str, Any]) -> Iterator[str]:
    for alarm in answer["alarms"]:
        yield f"  {alarm['priority']} {alarm['name']}"
    grades = answer["grades"]
    rows = [
        (PUBLISHED[scale].title, grade_cell(grades[scale]), missing_text(grades[scale])) for scale in grades
    ]
    yield from (f"  {line}" for line in table(_HEADER, rows))
    for scale, grade in grades.items():
        for other in grade["other_readings"]:
            bounds = bounds_text(other["lower"], other["upper"])
            yield f"  {PUBLISHED[scale].title} may also be read as {bounds}: {other['why']}"


def course_lines(steps: list[dict[str, Any]]) -> Iterator[str]:
    """Lines of every step of a course."""
    yield NOTICE
    for step in steps:
        yield ""
        yield f"after {span_text(step['at_ms'] / 1000)}: {_FEVER[step['fever']]}"
        yield from _case_lines(step)
        for name, grade in step["grades"].items():
            if "held" in grade:
                held = grade["held"]
                at = span_text(held["at_ms"] / 1000)
                yield f"  {PUBLISHED[name].title}: at least {held['lower']} held since {at}, when an entry expired"
        for what in ("due", "missed"):
            if step["prompts"][what]:
                yield f"  prompts {what}: {', '.join(step['prompts'][what])}"
