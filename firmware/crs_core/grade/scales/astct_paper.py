"""What belongs to ASTCT beside its table: the paper's cells, what people judge, cases. The table is ../astct.py.

It is apart because a wearable holds the table and has no room for the words.
"""

from crs_core.grade import astct
from crs_core.grade.scales.parts import Case, OtherReading
from crs_core.grade.scales.shared_facts import VASOPRESSIN_ALONE
from crs_core.grade.scales.shared_rows import (
    FEVER,
    HIGH_FLOW,
    HYPOTENSION,
    LOW_FLOW,
    ONE,
    ONE_VASOPRESSOR,
    TWO,
)

PAPER = "Lee DW et al., Biol Blood Marrow Transplant 2019;25:625-638"
SCALE = astct.SCALE
# (row, grade) -> what the paper has in this cell; a scale that no wearable holds says so in the cell itself
CITED = {
    ("fever", 1): "fever of 38.0 °C or above, not attributed to another cause",
    ("hypotension", 2): "hypotension that needs no vasopressor",
    ("hypotension", 3): "needs one vasopressor, with or without vasopressin",
    ("hypotension", 4): "needs several vasopressors, vasopressin not counted",
    ("hypoxia", 2): "low-flow nasal cannula (up to 6 L/min) or blow-by",
    ("hypoxia", 3): "high-flow nasal cannula, face mask, non-rebreather or Venturi mask",
    ("hypoxia", 4): "positive pressure: CPAP, BiPAP, intubation and ventilation",
}
PEOPLE_JUDGE = (
    "People judge whether the fever has another cause, what hypotension is for this patient, and whether positive "
    "pressure is given for hypoxia. Vasopressin alone is in no cell: it is read as one vasopressor, and as none in "
    "the other reading."
)
FACTS = ()
_SEVERAL = "Several vasopressors, not counting vasopressin."
CASES = (
    Case("fever", 1, {"temperature_cc": 3800}, (FEVER,), {"temperature_cc": 3799}, 0),
    Case(
        "hypotension", 2, {"blood_pressure": "hypotension"}, (HYPOTENSION,), {"blood_pressure": "normal"}, 0
    ),
    Case(
        "hypotension",
        3,
        {"vasopressors": ONE},
        (HYPOTENSION, ONE_VASOPRESSOR),
        {"blood_pressure": "hypotension"},
        2,
    ),
    Case(
        "hypotension",
        4,
        {"vasopressors": TWO},
        (HYPOTENSION, _SEVERAL),
        {"vasopressors": ONE + ["vasopressin"]},
        3,
    ),
    Case("hypoxia", 2, {"oxygen": "blow_by"}, (LOW_FLOW,), {"oxygen": "room_air"}, 0),
    Case("hypoxia", 3, {"oxygen": "venturi"}, (HIGH_FLOW,), {"oxygen": "nasal_cannula_low"}, 2),
    Case("hypoxia", 4, {"oxygen": "cpap"}, ("Positive pressure.",), {"oxygen": "non_rebreather"}, 3),
)
READINGS = (OtherReading({"vasopressors": ["vasopressin"]}, 2, VASOPRESSIN_ALONE),)
