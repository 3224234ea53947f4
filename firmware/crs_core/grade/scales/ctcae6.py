"""CTCAE 6.0 as data: the devices of ASTCT, but any vasopressor counts.

Grade 4 is worded "life-threatening consequences": two vasopressors and CPAP or BiPAP have a second reading.
"""

from crs_core.grade.scale import grade, make, parameter
from crs_core.grade.scales.parts import Case, OtherReading, Reason, reading
from crs_core.grade.scales.shared_facts import VENTILATION_OTHER
from crs_core.grade.scales.shared_rows import (
    CTCAE_PRESSURE_CASES,
    CTCAE_PRESSURE_READINGS,
    CTCAE_PRESSURE_ROW,
    FEVER_CASES,
    FEVER_ROW,
    GATE_ELSEWHERE,
    GATE_READINGS,
    HIGH_FLOW,
    LOW_FLOW,
    NOT_FOR_HYPOXIA,
)

_NONINVASIVE = Reason(152, "CPAP or BiPAP is read as 4, life-threatening; the other reading is 3.")

TITLE = "CTCAE 6.0"
PAPER = "NCI CTCAE version 6.0, 2025, term Cytokine release syndrome (MedDRA 10052015)"
SCALE = make(
    number=4,
    name="v6",
    version=6,
    rows=(
        FEVER_ROW,
        CTCAE_PRESSURE_ROW,
        parameter(
            "hypoxia",
            ("support",),
            grade(2, "low-flow nasal cannula or blow-by", support="low"),
            grade(3, "high-flow cannula, face mask, non-rebreather or Venturi mask", support="high"),
            grade(
                4,
                "life-threatening consequences: read as positive pressure",
                support=("noninvasive", "ventilator"),
            ),
            others=(reading(3, _NONINVASIVE, support="noninvasive"),),
        ),
    ),
    other_gate=GATE_ELSEWHERE,
)
PEOPLE_JUDGE = (
    "People judge what else is life-threatening: the table gives grade 4 no sign of its own. Constitutional "
    "symptoms without fever are not read; organ toxicity is reported under its own terms."
)
FACTS = ()
CASES = (
    FEVER_CASES
    + CTCAE_PRESSURE_CASES
    + (
        Case(
            "hypoxia",
            2,
            {"oxygen": "nasal_cannula_low", "fio2_pct": 60},
            (LOW_FLOW,),
            {"oxygen": "room_air", "fio2_pct": 60},
            0,
        ),
        Case(
            "hypoxia",
            3,
            {"oxygen": "nasal_cannula_high", "fio2_pct": 21},
            (HIGH_FLOW,),
            {"oxygen": "blow_by", "fio2_pct": 60},
            2,
        ),
        Case(
            "hypoxia",
            4,
            {"oxygen": "cpap", "fio2_pct": 21},
            ("CPAP or BiPAP.",),
            {"oxygen": "non_rebreather", "fio2_pct": 99},
            3,
        ),
    )
)
READINGS = (
    CTCAE_PRESSURE_READINGS
    + GATE_READINGS
    + (
        OtherReading({"oxygen": "bipap"}, 3, _NONINVASIVE),
        OtherReading(NOT_FOR_HYPOXIA, 4, VENTILATION_OTHER),
    )
)
