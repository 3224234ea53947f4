"""Lee 2014 (Lee DW et al., Blood 2014;124:188-195) as data: symptoms, dose of vasopressor, FiO2 and organ toxicity."""

from crs_core import entry_codes
from crs_core import codes
from crs_core.grade.scale import Row, make
from crs_core.grade.scales.shared_rows import DOSE_ROW, FIO2_ROW, GATE_ELSEWHERE, SYMPTOM_ROW

_READ = entry_codes.R_READ_TRANSAMINASE

SCALE = make(
    number=codes.SCALE_LEE2014,
    name="Lee14",
    version=2014,
    rows=(
        SYMPTOM_ROW,
        DOSE_ROW,
        FIO2_ROW,
        Row(
            "organ toxicity",
            ("organ",),
            ((4, (("organ", 4),)), (3, (("organ", 3),)), (2, (("organ", 2),))),
            (),
        ),
        # Below 4 the table has no word for transaminases but "organ toxicity", which may or may not mean them.
        Row(
            "transaminases",
            ("transaminase",),
            ((3, (("transaminase", 4),)),),
            ((3, (("transaminase", 3),), _READ), (2, (("transaminase", 2),), _READ)),
        ),
    ),
    other_gate=GATE_ELSEWHERE,
)
