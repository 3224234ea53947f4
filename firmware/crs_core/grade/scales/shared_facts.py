"""Facts that the cells of several scales read: those of the wearable, and those that only people can enter."""

# mypy: disable-error-code="type-arg, no-any-return"
# Cases are bare dicts: MicroPython has no typing module to say more with.

from crs_core import code_texts, codes
from crs_core.grade import facts
from crs_core.grade.rules import Rules
from crs_core.grade.scale import Fact
from crs_core.grade.scales.parts import YES_NO, EnteredFact, Missing, Reason, one_key

# the inspired oxygen that CTCAE 5.0, Lee 2014, CARTOX and MSKCC tell apart
_FIO2_PCT = 40

_NOTHING: tuple = ()
VASOPRESSIN_ALONE = Reason(codes.R_VASOPRESSIN_ALONE, code_texts.REASON_TEXTS[codes.R_VASOPRESSIN_ALONE])

# --- what facts.py reads, on a wearable too; its reasons and missing inputs are the wearable's own
WEARABLE = (
    EnteredFact("fever", YES_NO, {"yes": "fever ≥ 38.00 °C"}, _NOTHING, _NOTHING, facts.fever, None),
    EnteredFact(
        "fever_earlier",
        YES_NO,
        {"yes": "fever earlier in this episode"},
        _NOTHING,
        _NOTHING,
        facts.fever_earlier,
        None,
    ),
    EnteredFact(
        "pressure",
        ("held", "hypotension"),
        {"hypotension": "hypotension"},
        _NOTHING,
        _NOTHING,
        facts.pressure,
        None,
    ),
    EnteredFact(
        "vasopressors",
        ("none", "one", "several"),
        {
            "one": "one vasopressor, vasopressin not counted",
            "several": "several vasopressors, vasopressin not counted",
        },
        _NOTHING,
        _NOTHING,
        facts.vasopressors,
        VASOPRESSIN_ALONE,
    ),
    EnteredFact(
        "oxygen",
        ("none", "low", "high", "positive_pressure"),
        {
            "low": "low-flow cannula or blow-by",
            "high": "high-flow cannula or any mask",
            "positive_pressure": "CPAP, BiPAP or invasive ventilation",
        },
        _NOTHING,
        _NOTHING,
        facts.oxygen,
        None,
    ),
)

# --- vasopressors of any kind
ANY_VASOPRESSOR = ("one", "several")
_TWO_VASOPRESSORS = Reason(101, "Two or more vasopressors of any kind.")
_DOSE = Missing(21, "vasopressor_dose", "dose of the vasopressor")
_DOSE_HIGH = Reason(102, "High-dose vasopressor.")


def _agents(inputs: dict, rules: Rules) -> Fact:
    """Vasopressors of any kind, vasopressin too."""
    given = inputs.get("vasopressors")
    if given is None:
        if facts.is_complete(inputs):
            return Fact(("none",), True, 0, (), None)
        return Fact(("none", "one", "several"), False, codes.MISSING_VASOPRESSORS, (), None)
    counted = facts.different(given)
    if counted > 1:
        return Fact(("several",), True, 0, (_TWO_VASOPRESSORS.number,), None)
    if counted:
        return Fact(("one",), True, 0, (codes.R_ONE_VASOPRESSOR,), None)
    return Fact(("none",), True, 0, (), None)


def _dose(inputs: dict, rules: Rules) -> Fact:
    """Dose of the vasopressors by Lee's table; without a vasopressor no row asks."""
    given = inputs.get(_DOSE.key)
    if given is None:
        if facts.is_complete(inputs):
            return Fact(("low",), True, 0, (), None)
        return Fact(("low", "high"), False, _DOSE.number, (), None)
    say = (_DOSE_HIGH.number,) if given == "high" and inputs.get("vasopressors") else ()
    return Fact((given,), True, 0, say, None)


# --- support of oxygen
ANY_OXYGEN = ("low", "high", "noninvasive")
_SUPPORT = ("none", "low", "high", "noninvasive", "ventilator")
_NONINVASIVE = Reason(106, "CPAP or BiPAP.")
_VENTILATOR = Reason(107, "Invasive ventilation.")
_FIO2 = Missing(25, "fio2_pct", "inspired oxygen")
_FIO2_FROM_40 = Reason(108, "Inspired oxygen of 40 % or above.")
VENTILATION_OTHER = Reason(
    157, "Positive pressure not for hypoxia is read as none; the other reading counts it."
)


def _support(inputs: dict, rules: Rules) -> Fact:
    """The device that supports oxygen; "noninvasive" is CPAP or BiPAP.

    Reads the key as facts.oxygen does. That positive pressure for another reason is no need is a reading on all scales
    that read this fact: only ASTCT says so.
    """
    need = facts.oxygen(inputs, rules)
    if len(need.values) > 1:
        values = _SUPPORT if "positive_pressure" in need.values else _SUPPORT[:3]
        return Fact(values, need.known, need.missing, need.reasons, None)
    device = inputs.get("oxygen")
    if device == "invasive_ventilation":
        value, reason = "ventilator", _VENTILATOR
    elif device in ("cpap", "bipap"):
        value, reason = "noninvasive", _NONINVASIVE
    else:
        return need
    if inputs.get("ventilation_not_for_hypoxia"):
        return Fact(("none",), True, 0, (codes.R_VENTILATION_OTHER,), (value,))
    return Fact((value,), True, 0, (reason.number,), None)


def _fio2(inputs: dict, rules: Rules) -> Fact:
    """Inspired oxygen; without a device no row asks."""
    given = inputs.get(_FIO2.key)
    if given is None:
        if facts.is_complete(inputs):
            return Fact(("under40",), True, 0, (), None)
        return Fact(("under40", "from40"), False, _FIO2.number, (), None)
    if given < _FIO2_PCT:
        return Fact(("under40",), True, 0, (), None)
    asked = _support(inputs, rules).values[0] in ANY_OXYGEN
    return Fact(("from40",), True, 0, (_FIO2_FROM_40.number,) if asked else (), None)


# --- grades of organs by CTCAE
GRADES = (0, 1, 2, 3, 4)
GRADE_WORDS = {1: "grade 1", 2: "grade 2", 3: "grade 3", 4: "grade 4"}

ENTERED = (
    EnteredFact(
        "agents",
        ("none", "one", "several"),
        {
            "one": "one vasopressor of any kind",
            "several": "two or more vasopressors of any kind",
            ANY_VASOPRESSOR: "any vasopressor",
        },
        _NOTHING,
        (_TWO_VASOPRESSORS,),
        _agents,
        None,
    ),
    EnteredFact("dose", ("low", "high"), {"high": "high dose"}, (_DOSE,), (_DOSE_HIGH,), _dose, None),
    EnteredFact(
        "support",
        _SUPPORT,
        {
            "low": "low-flow cannula or blow-by",
            "high": "high-flow cannula or any mask",
            "noninvasive": "CPAP or BiPAP",
            "ventilator": "invasive ventilation",
            ("noninvasive", "ventilator"): "CPAP, BiPAP or invasive ventilation",
            ANY_OXYGEN: "any oxygen or CPAP or BiPAP",
        },
        _NOTHING,
        (_NONINVASIVE, _VENTILATOR),
        _support,
        VENTILATION_OTHER,
    ),
    EnteredFact(
        "fio2", ("under40", "from40"), {"from40": "FiO2 ≥ 40 %"}, (_FIO2,), (_FIO2_FROM_40,), _fio2, None
    ),
    one_key(
        "constitutional",
        Missing(20, "constitutional", "constitutional symptoms"),
        says={"yes": Reason(100, "Constitutional symptoms.")},
        words={"yes": "constitutional symptoms"},
    ),
    one_key(
        "fluids",
        Missing(24, "fluids_for_bp", "fluids for the blood pressure"),
        values=("none", "single", "multiple"),
        says={"multiple": Reason(105, "Several fluid boluses for the blood pressure.")},
        words={"multiple": "several boluses"},
    ),
    one_key(
        "organ",
        Missing(26, "organ_grade", "organ toxicity"),
        values=GRADES,
        says={
            1: Reason(111, "Organ toxicity of grade 1, transaminases apart."),
            2: Reason(112, "Organ toxicity of grade 2, transaminases apart."),
            3: Reason(113, "Organ toxicity of grade 3, transaminases apart."),
            4: Reason(114, "Organ toxicity of grade 4, transaminases apart."),
        },
        words=GRADE_WORDS,
    ),
    one_key(
        "transaminase",
        Missing(27, "transaminase_grade", "transaminases"),
        values=GRADES,
        says={
            1: Reason(115, "Transaminases of grade 1."),
            2: Reason(116, "Transaminases of grade 2."),
            3: Reason(117, "Transaminases of grade 3."),
            4: Reason(118, "Transaminases of grade 4."),
        },
        words=GRADE_WORDS,
    ),
)
