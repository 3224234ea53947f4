"""CTCAE 5.0 (NCI, November 2017), term "Cytokine release syndrome", as data.

The table names no rung for two vasopressors and none for CPAP or BiPAP; both stand with their second reading.
"""

from crs_core import entry_codes
from crs_core import codes
from crs_core.grade.scale import Row, make
from crs_core.grade.scales.shared_rows import FIO2_ROW, GATE_ELSEWHERE

SCALE = make(
    number=codes.SCALE_CTCAE5,
    name="v5",
    version=5,
    rows=(
        Row("fever", ("fever",), ((1, (("fever", "yes"),)),), ()),
        Row(
            "hypotension",
            ("pressure", "agents"),
            (
                (4, (("agents", "several"),)),
                (3, (("agents", "one"),)),
                (2, (("pressure", "hypotension"),)),
            ),
            ((3, (("agents", "several"),), entry_codes.R_READ_TWO_VASOPRESSORS),),
        ),
        FIO2_ROW,
    ),
    other_gate=GATE_ELSEWHERE,
)
