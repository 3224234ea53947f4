"""Lee 2014 as data: symptoms, dose of vasopressor, inspired oxygen and organ toxicity."""

from crs_core.grade.scale import make, parameter
from crs_core.grade.scales.parts import Case, OtherReading
from crs_core.grade.scales.shared_rows import (
    DOSE_CASES,
    DOSE_ROW,
    FIO2_CASES,
    FIO2_READINGS,
    FIO2_ROW,
    GATE_ELSEWHERE,
    GATE_READINGS,
    SYMPTOM_CASES,
    SYMPTOM_ROW,
    TRANSAMINASE,
    organ_cells,
    organ_text,
    transaminase_row,
)

TITLE = "Lee 2014"
PAPER = "Lee DW et al., Blood 2014;124:188-195"
SCALE = make(
    number=2,
    name="Lee14",
    version=2014,
    rows=(
        SYMPTOM_ROW,
        DOSE_ROW,
        FIO2_ROW,
        parameter("organ toxicity", ("organ",), *organ_cells((2, 3, 4))),
        transaminase_row(least=2),
    ),
    other_gate=GATE_ELSEWHERE,
)
PEOPLE_JUDGE = (
    "People grade organ toxicity by CTCAE, judge whether the dose is high by the paper's own table, and whether "
    "hypotension answers to what was given."
)
FACTS = ()
CASES = (
    SYMPTOM_CASES
    + DOSE_CASES
    + FIO2_CASES
    + (
        Case("organ toxicity", 2, {"organ_grade": 2}, (organ_text(2),), {"organ_grade": 1}, 0),
        Case("organ toxicity", 3, {"organ_grade": 3}, (organ_text(3),), {"organ_grade": 2}, 2),
        Case("organ toxicity", 4, {"organ_grade": 4}, (organ_text(4),), {"organ_grade": 3}, 3),
        Case(
            "transaminases",
            3,
            {"transaminase_grade": 4},
            ("Transaminases of grade 4.",),
            {"transaminase_grade": 3},
            0,
        ),
    )
)
READINGS = (
    FIO2_READINGS
    + GATE_READINGS
    + (
        OtherReading({"transaminase_grade": 3}, 3, TRANSAMINASE),
        OtherReading({"transaminase_grade": 2}, 2, TRANSAMINASE),
    )
)
