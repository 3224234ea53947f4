"""Penn as data: what the hospital does, laboratory grades, any oxygen."""

from crs_core.grade.scale import grade, make, parameter
from crs_core.grade.scales.parts import Case, Missing, OtherReading, Reason, one_key, reading
from crs_core.grade.scales.shared_facts import ANY_OXYGEN, ANY_VASOPRESSOR, GRADES, VENTILATION_OTHER
from crs_core.grade.scales.shared_rows import (
    DOSE_HIGH,
    GATE_ELSEWHERE,
    GATE_READINGS,
    HYPOTENSION,
    LOW_FLOW,
    NOT_FOR_HYPOXIA,
    ONE,
    ONE_VASOPRESSOR,
    SYMPTOM_CASES,
    SYMPTOM_ROW,
    TWO,
    TWO_VASOPRESSORS,
)

_FLUIDS = Reason(153, "Hypotension with several boluses is read as 3; the other reading is 2.")

PAPER = "Porter D et al., J Hematol Oncol 2018;11:35"
SCALE = make(
    number=5,
    name="Penn",
    version=2018,
    rows=(
        SYMPTOM_ROW,
        parameter(
            "hospital",
            ("hospitalised",),
            grade(2, "in hospital to manage symptoms of the syndrome", hospitalised="yes"),
        ),
        parameter(
            "creatinine",
            ("creatinine",),
            grade(2, "creatinine of grade 2", creatinine=2),
            grade(3, "creatinine of grade 3; the table stops there", creatinine=(3, 4)),
        ),
        parameter(
            "transaminases",
            ("transaminase",),
            grade(2, "liver tests of grade 3", transaminase=3),
            grade(3, "liver tests of grade 4", transaminase=4),
        ),
        parameter(
            "coagulopathy",
            ("coagulopathy",),
            grade(3, "coagulopathy that needs plasma, cryoprecipitate or fibrinogen", coagulopathy="yes"),
        ),
        parameter(
            "hypotension and fluids",
            ("pressure", "fluids"),
            grade(
                3, "hypotension treated with several fluid boluses", pressure="hypotension", fluids="multiple"
            ),
            others=(reading(2, _FLUIDS, pressure="hypotension", fluids="multiple"),),
        ),
        parameter(
            "vasopressors",
            ("agents", "dose"),
            grade(3, "low-dose vasopressor", agents=ANY_VASOPRESSOR),
            grade(4, "high-dose vasopressor", agents=ANY_VASOPRESSOR, dose="high"),
        ),
        parameter(
            "hypoxia",
            ("support",),
            grade(3, "any supplemental oxygen, CPAP and BiPAP too", support=ANY_OXYGEN),
            grade(4, "mechanical ventilation", support="ventilator"),
        ),
    ),
    other_gate=GATE_ELSEWHERE,
)
PEOPLE_JUDGE = (
    "People judge whether the stay in hospital is for the syndrome and whether a dose is high. Hypotension with "
    "neither several boluses nor a vasopressor is in no cell, nor is organ toxicity other than these."
)
FACTS = (
    one_key(
        "hospitalised",
        Missing(30, "hospitalised_for_crs", "whether in hospital for the syndrome"),
        says={"yes": Reason(110, "In hospital for the syndrome.")},
        words={"yes": "in hospital for the syndrome"},
    ),
    one_key(
        "creatinine",
        Missing(28, "creatinine_grade", "creatinine"),
        values=GRADES,
        says={
            1: Reason(119, "Creatinine of grade 1."),
            2: Reason(120, "Creatinine of grade 2."),
            3: Reason(121, "Creatinine of grade 3."),
            4: Reason(122, "Creatinine of grade 4."),
        },
        words={2: "grade 2", (3, 4): "grade 3 or 4"},
    ),
    one_key(
        "coagulopathy",
        Missing(29, "coagulopathy_treated", "treated coagulopathy"),
        says={"yes": Reason(109, "Coagulopathy that was treated.")},
        words={"yes": "treated coagulopathy"},
    ),
)
_SEVERAL = {"blood_pressure": "hypotension", "fluids_for_bp": "multiple"}
_BOLUSES = "Several fluid boluses for the blood pressure."
CASES = SYMPTOM_CASES + (
    Case(
        "hospital",
        2,
        {"hospitalised_for_crs": True},
        ("In hospital for the syndrome.",),
        {"hospitalised_for_crs": False},
        0,
    ),
    Case("creatinine", 2, {"creatinine_grade": 2}, ("Creatinine of grade 2.",), {"creatinine_grade": 1}, 0),
    Case("creatinine", 3, {"creatinine_grade": 3}, ("Creatinine of grade 3.",), {"creatinine_grade": 2}, 2),
    Case("creatinine", 3, {"creatinine_grade": 4}, ("Creatinine of grade 4.",), {"creatinine_grade": 2}, 2),
    Case(
        "transaminases",
        2,
        {"transaminase_grade": 3},
        ("Transaminases of grade 3.",),
        {"transaminase_grade": 2},
        0,
    ),
    Case(
        "transaminases",
        3,
        {"transaminase_grade": 4},
        ("Transaminases of grade 4.",),
        {"transaminase_grade": 3},
        2,
    ),
    Case(
        "coagulopathy",
        3,
        {"coagulopathy_treated": True},
        ("Coagulopathy that was treated.",),
        {"coagulopathy_treated": False},
        0,
    ),
    Case(
        "hypotension and fluids",
        3,
        _SEVERAL,
        (HYPOTENSION, _BOLUSES),
        {"blood_pressure": "hypotension", "fluids_for_bp": "single"},
        0,
    ),
    Case(
        "vasopressors",
        3,
        {"vasopressors": TWO},
        (HYPOTENSION, TWO_VASOPRESSORS),
        {"blood_pressure": "hypotension"},
        0,
    ),
    Case(
        "vasopressors",
        4,
        {"vasopressors": ONE, "vasopressor_dose": "high"},
        (HYPOTENSION, ONE_VASOPRESSOR, DOSE_HIGH),
        {"vasopressors": ONE},
        3,
    ),
    Case("hypoxia", 3, {"oxygen": "nasal_cannula_low"}, (LOW_FLOW,), {"oxygen": "room_air"}, 0),
    Case(
        "hypoxia",
        4,
        {"oxygen": "invasive_ventilation"},
        ("Invasive ventilation.",),
        {"oxygen": "bipap", "fio2_pct": 99},
        3,
    ),
)
READINGS = (
    OtherReading(_SEVERAL, 2, _FLUIDS),
    OtherReading(NOT_FOR_HYPOXIA, 3, VENTILATION_OTHER),
) + GATE_READINGS
