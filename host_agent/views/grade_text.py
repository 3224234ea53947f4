"""A grade on one scale in words, with what is not known. Every text says whether the grade is signed."""

from typing import Any

from crs_core import codes
from crs_core.grade.scales import MISSING_TEXTS, PUBLISHED

from host_agent import text as words


def scale_text(name: str, grade: dict[str, Any], at_text: str) -> str:
    """One scale as one sentence, e.g. `CRS (ASTCT 2019): at least 1, could be up to 4. Not known: oxygen. Not signed.`

    `grade` is of `people.regrade`, `at_text` when it was computed.
    """
    head = f"{name} {grade['version']}:" if name == "ICANS" else f"CRS ({PUBLISHED[name].title}):"
    if grade["status"] == codes.STATUS_NAMES[codes.SIGNED]:
        return f"{head} {grade['lower']}. Signed."
    unknown = missing_text(grade)
    parts = [head, f"{_status_bounds(grade, at_text)}."]
    parts += [
        f"May also be read as {bounds_text(other['lower'], other['upper'])}."
        for other in grade["other_readings"]
    ]
    if grade["held"]:
        held = grade["held"]
        since = words.local_of_iso(held["since"], with_seconds=False)
        parts.append(f"At least {held['lower']} held since {since}, when an entry expired. Assess again.")
    if unknown != "-":
        parts.append(f"Not known: {unknown}.")
    return " ".join([*parts, "Not signed."])


def _status_bounds(grade: dict[str, Any], at_text: str) -> str:
    lower, upper = grade["lower"], grade["upper"]
    if lower is None or upper is None or max(lower, upper) > words.HIGHEST_COMPUTED:
        return f"not gradable at {at_text}"
    if lower == 0:
        reach = f", could be up to {upper}" if upper else ""
        return f"no criterion met at {at_text} on what was measured and entered{reach}"
    return f"{lower} on what is known" if lower == upper else f"at least {lower}, could be up to {upper}"


def bounds_text(lower: int, upper: int) -> str:
    """The interval of a grade; 0 is no grade but no criterion met."""
    if upper == 0:
        return "no criterion met on what was entered"
    if lower == 0:
        return f"no criterion met on what was entered, could be up to {upper}"
    return str(lower) if lower == upper else f"at least {lower}, could be up to {upper}"


def grade_cell(grade: dict[str, Any]) -> str:
    """The interval, or that it is not gradable, and whether it is signed."""
    if grade["status"] == codes.STATUS_NAMES[codes.NOT_GRADABLE]:
        return "not gradable, not signed"
    if grade["status"] == codes.STATUS_NAMES[codes.SIGNED]:
        return f"{grade['lower']}, signed"
    mark = ", ambiguous" if grade["ambiguous"] else ""
    return f"{bounds_text(grade['lower'], grade['upper'])}{mark}, not signed"


def missing_text(grade: dict[str, Any]) -> str:
    """The inputs that are not known; "-" for none."""
    return ", ".join(MISSING_TEXTS[key] for key in grade["missing"]) or "-"
