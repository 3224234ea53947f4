"""Penn (Porter D et al., J Hematol Oncol 2018;11:35) as data: what the hospital does, laboratory grades, any oxygen."""

from crs_core import entry_codes
from crs_core import codes
from crs_core.grade.scale import Row, make
from crs_core.grade.scales.shared_rows import GATE_ELSEWHERE, SYMPTOM_ROW

_GIVEN = ("one", "several")

SCALE = make(
    number=codes.SCALE_PENN,
    name="Penn",
    version=2018,
    rows=(
        SYMPTOM_ROW,
        Row("hospital", ("hospitalised",), ((2, (("hospitalised", "yes"),)),), ()),
        Row("creatinine", ("creatinine",), ((3, (("creatinine", (3, 4)),)), (2, (("creatinine", 2),))), ()),
        Row(
            "transaminases", ("transaminase",), ((3, (("transaminase", 4),)), (2, (("transaminase", 3),))), ()
        ),
        Row("coagulopathy", ("coagulopathy",), ((3, (("coagulopathy", "yes"),)),), ()),
        Row(
            "hypotension and fluids",
            ("pressure", "fluids"),
            ((3, (("pressure", "hypotension"), ("fluids", "multiple"))),),
            ((2, (("pressure", "hypotension"), ("fluids", "multiple")), entry_codes.R_READ_FLUIDS_PENN),),
        ),
        Row(
            "vasopressors",
            ("agents", "dose"),
            ((4, (("agents", _GIVEN), ("dose", "high"))), (3, (("agents", _GIVEN),))),
            (),
        ),
        Row(
            "hypoxia",
            ("support",),
            ((4, (("support", "ventilator"),)), (3, (("support", ("low", "high", "noninvasive")),))),
            (),
        ),
    ),
    other_gate=GATE_ELSEWHERE,
)
