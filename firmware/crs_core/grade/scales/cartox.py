"""CARTOX (Neelapu SS et al., Nat Rev Clin Oncol 2018;15:47-62) as data: Lee 2014 with organ grade 1 for symptoms."""

from crs_core import entry_codes
from crs_core import codes
from crs_core.grade.scale import Row, make
from crs_core.grade.scales.shared_rows import DOSE_ROW, FIO2_ROW, GATE_ELSEWHERE

_READ = entry_codes.R_READ_TRANSAMINASE

SCALE = make(
    number=codes.SCALE_CARTOX,
    name="CARTOX",
    version=2018,
    rows=(
        Row("fever", ("fever",), ((1, (("fever", "yes"),)),), ()),
        DOSE_ROW,
        FIO2_ROW,
        Row(
            "organ toxicity",
            ("organ",),
            ((4, (("organ", 4),)), (3, (("organ", 3),)), (2, (("organ", 2),)), (1, (("organ", 1),))),
            (),
        ),
        Row(
            "transaminases",
            ("transaminase",),
            ((3, (("transaminase", 4),)),),
            (
                (3, (("transaminase", 3),), _READ),
                (2, (("transaminase", 2),), _READ),
                (1, (("transaminase", 1),), _READ),
            ),
        ),
    ),
    other_gate=GATE_ELSEWHERE,
)
