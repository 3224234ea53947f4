"""Rows that several published tables share word for word, and the gate that only one of them states."""

from crs_core import entry_codes
from crs_core.grade.scale import Row

# ASTCT alone states that the fever of onset is mandatory; on the other scales that is a second reading.
GATE_ELSEWHERE = (("fever", "yes"), ("fever_earlier", "yes"))

_OXYGEN = ("low", "high", "noninvasive")

# Below and from 40 % inspired oxygen: CTCAE 5.0, Lee 2014, CARTOX, MSKCC. None of them names CPAP or BiPAP.
FIO2_ROW = Row(
    "hypoxia",
    ("support", "fio2"),
    (
        (4, (("support", "ventilator"),)),
        (3, (("support", _OXYGEN), ("fio2", "from40"))),
        (2, (("support", _OXYGEN),)),
    ),
    ((4, (("support", "noninvasive"),), entry_codes.R_READ_NONINVASIVE_FIO2),),
)

# Fever is one example of the symptoms that treatment of symptoms answers: Lee 2014, Penn, MSKCC.
SYMPTOM_ROW = Row(
    "symptoms",
    ("fever", "constitutional"),
    ((1, (("fever", "yes"),)), (1, (("constitutional", "yes"),))),
    (),
)

# Lee 2014 and CARTOX.
DOSE_ROW = Row(
    "hypotension",
    ("pressure", "agents", "dose"),
    (
        (3, (("agents", "several"),)),
        (3, (("agents", "one"), ("dose", "high"))),
        (2, (("agents", "one"),)),
        (2, (("pressure", "hypotension"),)),
    ),
    (),
)
