"""CTCAE 5.0 as data. It has no column for two vasopressors and none for CPAP or BiPAP: both have a second reading."""

from crs_core.grade.scale import make
from crs_core.grade.scales.shared_rows import (
    CTCAE_PRESSURE_CASES,
    CTCAE_PRESSURE_READINGS,
    CTCAE_PRESSURE_ROW,
    FEVER_CASES,
    FEVER_ROW,
    FIO2_CASES,
    FIO2_READINGS,
    FIO2_ROW,
    GATE_ELSEWHERE,
    GATE_READINGS,
)

TITLE = "CTCAE 5.0"
PAPER = "NCI CTCAE version 5.0, November 2017, term Cytokine release syndrome (MedDRA 10052015)"
SCALE = make(
    number=3, name="v5", version=5, rows=(FEVER_ROW, CTCAE_PRESSURE_ROW, FIO2_ROW), other_gate=GATE_ELSEWHERE
)
PEOPLE_JUDGE = (
    "People judge what else is life-threatening: the table gives grade 4 no sign of its own. Constitutional "
    "symptoms without fever are not read; organ toxicity is reported under its own terms."
)
FACTS = ()
CASES = FEVER_CASES + CTCAE_PRESSURE_CASES + FIO2_CASES
READINGS = CTCAE_PRESSURE_READINGS + FIO2_READINGS + GATE_READINGS
