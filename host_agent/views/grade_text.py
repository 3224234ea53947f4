"""The answer of `cytowatch grade` in lines for people: fever, alarms, and each scale with what is not known.

Takes what `grade_json.grade_file` returns. Every line of a scale says whether it is signed; an ambiguous one says the
other reading as well.
"""

from collections.abc import Iterator
from typing import Any

from crs_core import codes
from crs_core.grade.scales import MISSING_TEXTS, PUBLISHED

from host_agent import text as words
from host_agent.text import table

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
    yield words.NOTICE
    for name, answer in answers.items():
        yield ""
        yield f"{name}: {_FEVER[answer['fever']]}"
        yield from _case_lines(answer)


def _case_lines(answer: dict[str, Any]) -> Iterator[str]:
    for alarm in answer["alarms"]:
        yield f"  {alarm['priority']} {alarm['name']}"
    grades = answer["grades"]
    rows = [(PUBLISHED[scale].title, _grade(grades[scale]), _missing(grades[scale])) for scale in grades]
    yield from (f"  {line}" for line in table(_HEADER, rows))
    for scale, grade in grades.items():
        for other in grade["other_readings"]:
            bounds = _bounds(other["lower"], other["upper"])
            yield f"  {PUBLISHED[scale].title} may also be read as {bounds}: {other['why']}"


def course_lines(steps: list[dict[str, Any]]) -> Iterator[str]:
    """Lines of every step of a course."""
    yield words.NOTICE
    for step in steps:
        yield ""
        yield f"after {words.span_text(step['at_ms'] / 1000)}: {_FEVER[step['fever']]}"
        yield from _case_lines(step)
        for name, grade in step["grades"].items():
            if "held" in grade:
                held = grade["held"]
                at = words.span_text(held["at_ms"] / 1000)
                yield f"  {PUBLISHED[name].title}: at least {held['lower']} held since {at}, when an entry expired"
        for what in ("due", "missed"):
            if step["prompts"][what]:
                yield f"  prompts {what}: {', '.join(step['prompts'][what])}"


def scale_text(name: str, grade: dict[str, Any], at_text: str) -> str:
    """One scale as one sentence, e.g. `CRS (ASTCT 2019): at least 1, could be up to 4. Not known: oxygen. Not signed.`

    `grade` is of `people.regrade`, `at_text` when it was computed.
    """
    head = f"{name} {grade['version']}:" if name == "ICANS" else f"CRS ({PUBLISHED[name].title}):"
    if grade["status"] == codes.STATUS_NAMES[codes.SIGNED]:
        return f"{head} {grade['lower']}. Signed."
    unknown = _missing(grade)
    told = [head, f"{_status_bounds(grade, at_text)}."]
    told += [
        f"May also be read as {_bounds(other['lower'], other['upper'])}." for other in grade["other_readings"]
    ]
    if grade["held"]:
        held = grade["held"]
        told.append(
            f"At least {held['lower']} held since {words.local_of_iso(held['since'])[:5]}, when an entry ran out:"
            " assess again."
        )
    if unknown != "-":
        told.append(f"Not known: {unknown}.")
    return " ".join([*told, "Not signed."])


def _status_bounds(grade: dict[str, Any], at_text: str) -> str:
    lower, upper = grade["lower"], grade["upper"]
    if lower is None or upper is None or max(lower, upper) > words.HIGHEST_COMPUTED:
        return f"not gradable at {at_text}"
    if lower == 0:
        reach = f", could be up to {upper}" if upper else ""
        return f"no criterion met at {at_text} on what was measured and entered{reach}"
    return f"{lower} on what is known" if lower == upper else f"at least {lower}, could be up to {upper}"


def _bounds(lower: int, upper: int) -> str:
    if upper == 0:
        return "no criterion met on what was entered"
    if lower == 0:
        return f"no criterion met on what was entered, could be up to {upper}"
    return str(lower) if lower == upper else f"at least {lower}, could be up to {upper}"


def _grade(grade: dict[str, Any]) -> str:
    if grade["status"] == codes.STATUS_NAMES[codes.NOT_GRADABLE]:
        return "not gradable, not signed"
    if grade["status"] == codes.STATUS_NAMES[codes.SIGNED]:
        return f"{grade['lower']}, signed"
    mark = ", ambiguous" if grade["ambiguous"] else ""
    return f"{_bounds(grade['lower'], grade['upper'])}{mark}, not signed"


def _missing(grade: dict[str, Any]) -> str:
    return ", ".join(MISSING_TEXTS[key] for key in grade["missing"]) or "-"
