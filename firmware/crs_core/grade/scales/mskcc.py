"""MSKCC as data: how long a vasopressor is needed, and inspired oxygen.

Hypotension without a vasopressor is in no cell; that repeated fluids alone could be meant is the other reading.
"""

# mypy: disable-error-code="type-arg"
# Cases are bare dicts: MicroPython has no typing module to say more with.

from crs_core.grade import facts
from crs_core.grade.rules import Rules
from crs_core.grade.scale import Fact, grade, make, parameter
from crs_core.grade.scales.parts import Case, EnteredFact, Missing, OtherReading, Reason, one_key, reading
from crs_core.grade.scales.shared_facts import ANY_VASOPRESSOR
from crs_core.grade.scales.shared_rows import (
    FIO2_CASES,
    FIO2_READINGS,
    FIO2_ROW,
    GATE_ELSEWHERE,
    GATE_READINGS,
    ONE,
    ONE_VASOPRESSOR,
    SYMPTOM_CASES,
    SYMPTOM_ROW,
    TWO,
    TWO_VASOPRESSORS,
)

_FLUIDS = Reason(154, "Hypotension with fluids alone is in no cell; the other reading is 2.")

PAPER = "Park JH et al., N Engl J Med 2018;378:449-459"
SCALE = make(
    number=7,
    name="MSKCC",
    version=2018,
    rows=(
        SYMPTOM_ROW,
        parameter(
            "vasopressors",
            ("agents", "hours"),
            grade(2, "any vasopressor for less than 24 h", agents=ANY_VASOPRESSOR),
            grade(3, "any vasopressor for 24 h or longer", agents=ANY_VASOPRESSOR, hours="from24"),
        ),
        parameter(
            "refractory hypotension",
            ("refractory",),
            grade(4, "hypotension refractory to high-dose vasopressor", refractory="yes"),
        ),
        parameter(
            "hypotension and fluids",
            ("pressure", "fluids"),
            others=(reading(2, _FLUIDS, pressure="hypotension", fluids="multiple"),),
        ),
        FIO2_ROW,
    ),
    other_gate=GATE_ELSEWHERE,
)
PEOPLE_JUDGE = (
    "People judge whether hypotension is refractory. Hypotension without a vasopressor is in no cell; organ "
    "toxicity is not read."
)

_LONG_HOURS = 24
_HOURS = Missing(22, "vasopressor_hours", "hours on vasopressors")
_FROM_24 = Reason(103, "Vasopressor for 24 hours or longer.")


def _hours(inputs: dict, rules: Rules) -> Fact:
    """Time since the first vasopressor; without a vasopressor no row asks."""
    given = inputs.get(_HOURS.key)
    if given is None:
        if facts.is_complete(inputs):
            return Fact(("under24",), True, 0, (), None)
        return Fact(("under24", "from24"), False, _HOURS.number, (), None)
    if given < _LONG_HOURS:
        return Fact(("under24",), True, 0, (), None)
    return Fact(("from24",), True, 0, (_FROM_24.number,) if inputs.get("vasopressors") else (), None)


FACTS = (
    EnteredFact(
        "hours", ("under24", "from24"), {"from24": "for 24 h or longer"}, (_HOURS,), (_FROM_24,), _hours, None
    ),
    one_key(
        "refractory",
        Missing(23, "refractory", "whether hypotension is refractory"),
        says={"yes": Reason(104, "Hypotension refractory to high-dose vasopressor.")},
        words={"yes": "refractory to high-dose vasopressor"},
    ),
)
CASES = (
    SYMPTOM_CASES
    + (
        Case(
            "vasopressors",
            2,
            {"vasopressors": TWO, "vasopressor_hours": 23},
            (TWO_VASOPRESSORS,),
            {"blood_pressure": "hypotension"},
            0,
        ),
        Case(
            "vasopressors",
            3,
            {"vasopressors": ONE, "vasopressor_hours": 24},
            (ONE_VASOPRESSOR, "Vasopressor for 24 hours or longer."),
            {"vasopressors": ONE, "vasopressor_hours": 23},
            2,
        ),
        Case(
            "refractory hypotension",
            4,
            {"refractory": True},
            ("Hypotension refractory to high-dose vasopressor.",),
            {"vasopressors": TWO, "vasopressor_dose": "high", "vasopressor_hours": 99},
            3,
        ),
    )
    + FIO2_CASES
)
READINGS = (
    (OtherReading({"blood_pressure": "hypotension", "fluids_for_bp": "multiple"}, 2, _FLUIDS),)
    + FIO2_READINGS
    + GATE_READINGS
)
