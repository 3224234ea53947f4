"""ASTCT consensus grading of CRS, 2019 (Lee DW et al., Biol Blood Marrow Transplant 2019;25:625-638), as data.

The more severe of hypotension and hypoxia decides, in a patient who has or had the fever of the syndrome. Vasopressin
does not count towards "several"; its dose does not matter. Organ toxicity is graded elsewhere. Death is not a row.
What the paper says in each cell, and the cases that test it, stand in scales/astct_paper.py, which no wearable loads.
"""

# mypy: disable-error-code="type-arg, no-any-return"
# States and cases are bare lists, tuples and dicts: MicroPython has no typing module to say more with.

from crs_core import codes
from crs_core.grade.scale import grade, interval, make, matters, parameter

VERSION = 2019

SCALE = make(
    number=codes.SCALE_ASTCT,
    name="ASTCT",
    version=VERSION,
    rows=(
        parameter("fever", ("fever",), grade(1, fever="yes")),
        parameter(
            "hypotension",
            ("pressure", "vasopressors"),
            grade(2, pressure="hypotension"),
            grade(3, vasopressors="one"),
            grade(4, vasopressors="several"),
        ),
        parameter(
            "hypoxia",
            ("oxygen",),
            grade(2, oxygen="low"),
            grade(3, oxygen="high"),
            grade(4, oxygen="positive_pressure"),
        ),
    ),
    gate=(("fever", "yes"), ("fever_earlier", "yes")),
)

_EITHER = ("no", "yes")
# What a wearable cannot know: blood pressure, drugs and oxygen device stay open.
_OPEN = {
    "pressure": ("held", "hypotension"),
    "vasopressors": ("none", "one", "several"),
    "oxygen": ("none", "low", "high", "positive_pressure"),
}
_MISSING = (
    ("pressure", codes.MISSING_BLOOD_PRESSURE),
    ("vasopressors", codes.MISSING_VASOPRESSORS),
    ("oxygen", codes.MISSING_OXYGEN),
    ("fever_earlier", codes.MISSING_FEVER_EARLIER),
)
_memo: dict = {}


def from_sensors(fever: str, latched: bool) -> tuple:
    """(lower, upper, missing ids) when only the fever row is known: `fever` is "yes", "no" or "" (not known).

    `latched`: the criterion was met earlier in the episode. Six cases, each worked out once.
    """
    key = (fever, latched)
    if key not in _memo:
        possible = dict(_OPEN)
        possible["fever"] = (fever,) if fever else _EITHER
        possible["fever_earlier"] = ("yes",) if latched else _EITHER
        missing = tuple([number for fact, number in _MISSING if matters(SCALE, possible, fact)])
        _memo[key] = interval(SCALE, possible) + (missing,)
    return _memo[key]
