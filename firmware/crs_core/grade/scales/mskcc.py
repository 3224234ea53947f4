"""MSKCC (Park JH et al., N Engl J Med 2018;378:449-459) as data: how long a vasopressor is needed, and FiO2.

Hypotension without a vasopressor is in no cell; that repeated fluids alone could be meant is the other reading.
"""

from crs_core import entry_codes
from crs_core import codes
from crs_core.grade.scale import Row, make
from crs_core.grade.scales.shared_rows import FIO2_ROW, GATE_ELSEWHERE, SYMPTOM_ROW

_GIVEN = ("one", "several")

SCALE = make(
    number=codes.SCALE_MSKCC,
    name="MSKCC",
    version=2018,
    rows=(
        SYMPTOM_ROW,
        Row(
            "vasopressors",
            ("agents", "hours"),
            ((3, (("agents", _GIVEN), ("hours", "from24"))), (2, (("agents", _GIVEN),))),
            (),
        ),
        Row("refractory hypotension", ("refractory",), ((4, (("refractory", "yes"),)),), ()),
        Row(
            "hypotension and fluids",
            ("pressure", "fluids"),
            (),
            ((2, (("pressure", "hypotension"), ("fluids", "multiple")), entry_codes.R_READ_FLUIDS_MSKCC),),
        ),
        FIO2_ROW,
    ),
    other_gate=GATE_ELSEWHERE,
)
