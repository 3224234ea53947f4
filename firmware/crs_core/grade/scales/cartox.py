"""CARTOX as data: Lee 2014 with organ toxicity of grade 1 in the place of symptoms."""

from crs_core.grade.scale import make, parameter
from crs_core.grade.scales.parts import Case, OtherReading
from crs_core.grade.scales.shared_rows import (
    DOSE_CASES,
    DOSE_ROW,
    FEVER_CASES,
    FEVER_ROW,
    FIO2_CASES,
    FIO2_READINGS,
    FIO2_ROW,
    GATE_ELSEWHERE,
    GATE_READINGS,
    TRANSAMINASE,
    organ_cells,
    organ_text,
    transaminase_row,
)

PAPER = "Neelapu SS et al., Nat Rev Clin Oncol 2018;15:47-62"
SCALE = make(
    number=6,
    name="CARTOX",
    version=2018,
    rows=(
        FEVER_ROW,
        DOSE_ROW,
        FIO2_ROW,
        parameter("organ toxicity", ("organ",), *organ_cells((1, 2, 3, 4))),
        transaminase_row(least=1),
    ),
    other_gate=GATE_ELSEWHERE,
)
PEOPLE_JUDGE = (
    "People grade organ toxicity by CTCAE and judge whether the dose is high; hypotension that is life-threatening "
    "without more being said is theirs to see. Children below 12 years have a guide of their own, not graded here."
)
FACTS = ()
CASES = (
    FEVER_CASES
    + DOSE_CASES
    + FIO2_CASES
    + (
        Case("organ toxicity", 1, {"organ_grade": 1}, (organ_text(1),), {"organ_grade": 0}, 0),
        Case("organ toxicity", 2, {"organ_grade": 2}, (organ_text(2),), {"organ_grade": 1}, 1),
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
        OtherReading({"transaminase_grade": 1}, 1, TRANSAMINASE),
    )
)
