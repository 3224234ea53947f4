"""CTCAE 6.0 (NCI, 2025), term "Cytokine release syndrome", as data: the devices of ASTCT, but any vasopressor counts.

Grade 4 is worded "life-threatening consequences": two vasopressors and CPAP or BiPAP stand with their second reading.
"""

from crs_core import entry_codes
from crs_core import codes
from crs_core.grade.scale import Row, make
from crs_core.grade.scales.ctcae5 import SCALE as CTCAE5
from crs_core.grade.scales.shared_rows import GATE_ELSEWHERE

SCALE = make(
    number=codes.SCALE_CTCAE6,
    name="v6",
    version=6,
    rows=(
        CTCAE5.rows[0],
        CTCAE5.rows[1],
        Row(
            "hypoxia",
            ("support",),
            (
                (4, (("support", ("noninvasive", "ventilator")),)),
                (3, (("support", "high"),)),
                (2, (("support", "low"),)),
            ),
            ((3, (("support", "noninvasive"),), entry_codes.R_READ_NONINVASIVE_CTCAE6),),
        ),
    ),
    other_gate=GATE_ELSEWHERE,
)
