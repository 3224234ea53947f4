"""Rows that several published tables share word for word, the other readings of their words, and the cases of both."""

# mypy: disable-error-code="type-arg"
# Cases are bare dicts: MicroPython has no typing module to say more with.

from crs_core.grade.scale import grade, parameter
from crs_core.grade.scales.parts import Case, OtherReading, Reason, reading
from crs_core.grade.scales.shared_facts import ANY_OXYGEN, VENTILATION_OTHER

# ASTCT alone states that the fever of onset is mandatory; on the other scales that is a second reading.
GATE_ELSEWHERE = (("fever", "yes"), ("fever_earlier", "yes"))
FEVER_GATE = Reason(156, "The table states no fever gate; with one, nothing would count without a fever.")
TRANSAMINASE = Reason(155, "Transaminases below 4 are in no cell; the other reading is organ toxicity.")
_TWO_VASOPRESSORS = Reason(150, "Two vasopressors are read as 4, life-threatening; the other reading is 3.")
_NONINVASIVE = Reason(151, "CPAP or BiPAP is read by inspired oxygen; the other reading is 4, ventilation.")

ONE = ["norepinephrine"]
TWO = ["norepinephrine", "dopamine"]
FEVER = "Temperature at or above 38.00 °C."
HYPOTENSION = "Hypotension."
ONE_VASOPRESSOR = "One vasopressor."
TWO_VASOPRESSORS = "Two or more vasopressors of any kind."
LOW_FLOW = "Low-flow nasal cannula or blow-by oxygen."
HIGH_FLOW = "High-flow cannula or mask oxygen."
FROM_40 = "Inspired oxygen of 40 % or above."
DOSE_HIGH = "High-dose vasopressor."

# --- CTCAE 5.0 and 6.0, CARTOX
FEVER_ROW = parameter("fever", ("fever",), grade(1, "fever of 38.0 °C or above", fever="yes"))
FEVER_CASES = (Case("fever", 1, {"temperature_cc": 3800}, (FEVER,), {"constitutional": True}, 0),)

# --- Lee 2014, Penn, MSKCC: fever is one example of the symptoms that treatment of symptoms answers
_SYMPTOMS = "mild: treatment of symptoms only, such as fever, malaise or headache"
SYMPTOM_ROW = parameter(
    "symptoms",
    ("fever", "constitutional"),
    grade(1, _SYMPTOMS, fever="yes"),
    grade(1, _SYMPTOMS, constitutional="yes"),
)
SYMPTOM_CASES = (
    Case("symptoms", 1, {"temperature_cc": 3800}, (FEVER,), {}, 0),
    Case(
        "symptoms", 1, {"constitutional": True}, ("Constitutional symptoms.",), {"constitutional": False}, 0
    ),
)

# --- CTCAE 5.0 and 6.0: the table names no column for two vasopressors
CTCAE_PRESSURE_ROW = parameter(
    "hypotension",
    ("pressure", "agents"),
    grade(2, "hypotension that answers to fluids", pressure="hypotension"),
    grade(3, "hypotension managed with one vasopressor", agents="one"),
    grade(4, "life-threatening consequences: read as two or more vasopressors", agents="several"),
    others=(reading(3, _TWO_VASOPRESSORS, agents="several"),),
)
CTCAE_PRESSURE_CASES = (
    Case(
        "hypotension", 2, {"blood_pressure": "hypotension"}, (HYPOTENSION,), {"fluids_for_bp": "multiple"}, 0
    ),
    Case(
        "hypotension",
        3,
        {"vasopressors": ["vasopressin"]},
        (HYPOTENSION, ONE_VASOPRESSOR),
        {"blood_pressure": "hypotension"},
        2,
    ),
    Case(
        "hypotension",
        4,
        {"vasopressors": ["vasopressin", "other"]},
        (HYPOTENSION, TWO_VASOPRESSORS),
        {"vasopressors": ONE + ONE},
        3,
    ),
)
CTCAE_PRESSURE_READINGS = (OtherReading({"vasopressors": ["other", "vasopressin"]}, 3, _TWO_VASOPRESSORS),)

# --- Lee 2014, CARTOX
_DOSE_LOW = "hypotension that answers to fluids or to one vasopressor at a low dose"
_DOSE_HIGH = "a high dose or several vasopressors"
DOSE_ROW = parameter(
    "hypotension",
    ("pressure", "agents", "dose"),
    grade(2, _DOSE_LOW, pressure="hypotension"),
    grade(2, _DOSE_LOW, agents="one"),
    grade(3, _DOSE_HIGH, agents="one", dose="high"),
    grade(3, _DOSE_HIGH, agents="several"),
)
DOSE_CASES = (
    Case(
        "hypotension", 2, {"blood_pressure": "hypotension"}, (HYPOTENSION,), {"vasopressor_dose": "high"}, 0
    ),
    Case(
        "hypotension",
        2,
        {"vasopressors": ONE, "vasopressor_dose": "low"},
        (HYPOTENSION, ONE_VASOPRESSOR),
        {"vasopressors": []},
        0,
    ),
    Case(
        "hypotension",
        3,
        {"vasopressors": ONE, "vasopressor_dose": "high"},
        (HYPOTENSION, ONE_VASOPRESSOR, DOSE_HIGH),
        {"vasopressors": ["vasopressin"]},
        2,
    ),
    Case("hypotension", 3, {"vasopressors": TWO}, (HYPOTENSION, TWO_VASOPRESSORS), {"vasopressors": ONE}, 2),
)

# --- CTCAE 5.0, Lee 2014, CARTOX, MSKCC: below and from 40 % inspired oxygen; none of them names CPAP or BiPAP
FIO2_ROW = parameter(
    "hypoxia",
    ("support", "fio2"),
    grade(2, "oxygen below 40 %", support=ANY_OXYGEN),
    grade(3, "oxygen of 40 % or above", support=ANY_OXYGEN, fio2="from40"),
    grade(4, "ventilator", support="ventilator"),
    others=(reading(4, _NONINVASIVE, support="noninvasive"),),
)
FIO2_CASES = (
    Case(
        "hypoxia",
        2,
        {"oxygen": "nasal_cannula_low", "fio2_pct": 21},
        (LOW_FLOW,),
        {"oxygen": "room_air", "fio2_pct": 60},
        0,
    ),
    Case(
        "hypoxia",
        3,
        {"oxygen": "face_mask", "fio2_pct": 40},
        (HIGH_FLOW, FROM_40),
        {"oxygen": "face_mask", "fio2_pct": 39},
        2,
    ),
    Case(
        "hypoxia",
        4,
        {"oxygen": "invasive_ventilation", "fio2_pct": 60},
        ("Invasive ventilation.",),
        {"oxygen": "bipap", "fio2_pct": 99},
        3,
    ),
)
NOT_FOR_HYPOXIA = {"oxygen": "bipap", "ventilation_not_for_hypoxia": True, "fio2_pct": 30}
FIO2_READINGS = (
    OtherReading({"oxygen": "cpap", "fio2_pct": 50}, 4, _NONINVASIVE),
    OtherReading(NOT_FOR_HYPOXIA, 2, VENTILATION_OTHER),
)

# --- every scale without a gate of its own
GATE_READINGS = (OtherReading({"fever_earlier": False, "oxygen": "invasive_ventilation"}, 0, FEVER_GATE),)


# --- Lee 2014, CARTOX
def organ_text(one: int) -> str:
    """What an organ toxicity of this CTCAE grade says."""
    return "Organ toxicity of grade %d, transaminases apart." % one


def organ_cells(grades: tuple) -> list:
    """Cells of "organ toxicity" at these CTCAE grades."""
    apart = {4: ", transaminases apart"}
    return [
        grade(one, "organ toxicity of grade %d%s" % (one, apart.get(one, "")), organ=one) for one in grades
    ]


def transaminase_row(least: int) -> object:
    """Below 4 the table has no word for transaminases but "organ toxicity", which may or may not mean them."""
    return parameter(
        "transaminases",
        ("transaminase",),
        grade(3, "transaminases of grade 4", transaminase=4),
        others=tuple([reading(one, TRANSAMINASE, transaminase=one) for one in range(3, least - 1, -1)]),
    )
