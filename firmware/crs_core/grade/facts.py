"""What the inputs of a case say about each fact that a table reads: the values it can still have.

An absent key is unknown, unless the case is `context: complete`: then it was asked and there is none. A fact that no
scale has read before is one function here and its line in FACTS.
"""

# mypy: disable-error-code="type-arg, no-any-return"
# States and cases are bare lists, tuples and dicts: MicroPython has no typing module to say more with.

from crs_core import reasons
from crs_core.grade.rules import Rules
from crs_core.grade.scale import Fact

_EITHER = ("no", "yes")
_SETTLING_SITES = ("oral", "tympanic", "rectal", "core")

# What need a device stands for. Low flow is up to 6 L/min; blow-by counts as low flow.
OXYGEN_NEED = {
    "nasal_cannula_low": "low",
    "blow_by": "low",
    "nasal_cannula_high": "high",
    "face_mask": "high",
    "non_rebreather": "high",
    "venturi": "high",
    "cpap": "positive_pressure",
    "bipap": "positive_pressure",
    "invasive_ventilation": "positive_pressure",
}
_NEED_REASONS = {
    "low": reasons.R_OXYGEN_LOW,
    "high": reasons.R_OXYGEN_HIGH,
    "positive_pressure": reasons.R_POSITIVE_PRESSURE,
}
_ANY_NEED = ("none", "low", "high", "positive_pressure")


def is_complete(inputs: dict) -> bool:
    """True when every key that is not listed was asked and is none."""
    return inputs.get("context") == "complete"


def is_masked(inputs: dict) -> bool:
    """True when a drug that hides fever was given and its window runs."""
    return bool(inputs.get("antipyretic") or inputs.get("steroid") or inputs.get("anticytokine"))


def fever_state(inputs: dict, rules: Rules) -> int:
    """FEVER_* of the case's own temperature by the rule of its site; the cause of the fever is not asked here."""
    temp_cc = inputs.get("temperature_cc")
    if temp_cc is None:
        return reasons.FEVER_UNKNOWN
    if temp_cc >= rules.fever_cc:
        return reasons.FEVER_MET
    if is_masked(inputs):
        return reasons.FEVER_MASKED
    if inputs["site"] == "axilla":
        return reasons.FEVER_POSSIBLE if temp_cc >= rules.possible_cc else reasons.FEVER_NOT_MET
    return reasons.FEVER_NOT_MET if inputs["site"] in _SETTLING_SITES else reasons.FEVER_UNKNOWN


def fever(inputs: dict, rules: Rules) -> Fact:
    """A present fever of the syndrome: "yes" or "no"."""
    state = fever_state(inputs, rules)
    known = "temperature_cc" in inputs
    missing = 0 if known else reasons.MISSING_TEMPERATURE
    if inputs.get("fever_other_cause"):
        # Whatever the temperature turns out to be, a present fever is not of the syndrome.
        return Fact(("no",), known, missing, (reasons.R_OTHER_CAUSE,), None)
    if state == reasons.FEVER_MET:
        return Fact(("yes",), True, 0, (reasons.R_FEVER_MET,), None)
    if state == reasons.FEVER_MASKED:
        return Fact(_EITHER, True, 0, (reasons.R_MASKED,), None)
    if not known:
        return Fact(_EITHER, False, missing, (), None)
    site = inputs["site"]
    if site in _SETTLING_SITES:
        return Fact(("no",), True, 0, (reasons.R_BELOW,), None)
    below = reasons.R_BELOW_AT_AXILLA if site == "axilla" else reasons.R_SKIN_BELOW
    # a temperature from a site that settles the row is what would help
    return Fact(_EITHER, True, reasons.MISSING_TEMPERATURE, (below,), None)


def fever_earlier(inputs: dict, rules: Rules) -> Fact:
    """The fever of the syndrome was met earlier in this episode: "yes" or "no". Makes nothing gradable by itself."""
    given = inputs.get("fever_earlier")
    if given:
        return Fact(("yes",), False, 0, (reasons.R_FEVER_EARLIER,), None)
    if given is None and not is_complete(inputs):
        return Fact(_EITHER, False, reasons.MISSING_FEVER_EARLIER, (), None)
    # With masking at its onset the fever may have been hidden; that uncertainty sits in the row "fever".
    return Fact(("no",), False, 0, (), None)


def pressure(inputs: dict, rules: Rules) -> Fact:
    """Blood pressure by the site's rule: "held" or "hypotension"; any vasopressor counts as hypotension."""
    judged = inputs.get("blood_pressure")
    if inputs.get("vasopressors") or judged == "hypotension":
        return Fact(("hypotension",), True, 0, (reasons.R_HYPOTENSION,), None)
    if judged == "normal":
        return Fact(("held",), True, 0, (), None)
    systolic = inputs.get("systolic_mmhg")
    if systolic is not None:
        return _measured(systolic, inputs.get("age_months"), rules)
    if is_complete(inputs):
        return Fact(("held",), True, 0, (), None)
    return Fact(("held", "hypotension"), False, reasons.MISSING_BLOOD_PRESSURE, (), None)


def _measured(systolic_mmhg: int, age_months: int | None, rules: Rules) -> Fact:
    """Adults by the site's limit; 1-10 years below 70 + 2 x age; above 10 years below 90 (Mahadeo et al. 2019).

    Without an age only a pressure on which all ages agree settles it; below one year no rule is given.
    """
    adult = rules.hypotension_systolic_mmhg
    child = rules.child_systolic_mmhg
    per_year = rules.child_systolic_per_year_mmhg
    cap = rules.child_systolic_cap_mmhg
    if age_months is None:
        lowest, highest = child + per_year, max(adult, cap)
    elif age_months < rules.infant_below_months:
        return Fact(("held", "hypotension"), True, reasons.MISSING_BLOOD_PRESSURE, (), None)
    elif age_months < rules.child_below_months:
        lowest = highest = min(child + per_year * (age_months // 12), cap)
    else:
        lowest = highest = adult
    if systolic_mmhg < lowest:
        return Fact(("hypotension",), True, 0, (reasons.R_HYPOTENSION,), None)
    if systolic_mmhg >= highest:
        return Fact(("held",), True, 0, (), None)
    return Fact(("held", "hypotension"), True, reasons.MISSING_BLOOD_PRESSURE, (), None)


def vasopressors(inputs: dict, rules: Rules) -> Fact:
    """Agents given, vasopressin not counted towards several: "none", "one" or "several".

    Vasopressin alone is not named by the table; it is read as one, and as none under the other reading.
    """
    given = inputs.get("vasopressors")
    if given is None:
        if is_complete(inputs):
            return Fact(("none",), True, 0, (), None)
        return Fact(("none", "one", "several"), False, reasons.MISSING_VASOPRESSORS, (), None)
    # a name given twice is one drug; two times "other" are two drugs, as there is no other way to say it
    counted = sum([1 for i, name in enumerate(given) if name != "vasopressin" and _is_new(given, i)])
    if counted > 1:
        return Fact(("several",), True, 0, (reasons.R_SEVERAL_VASOPRESSORS,), None)
    if counted:
        return Fact(("one",), True, 0, (reasons.R_ONE_VASOPRESSOR,), None)
    if given:
        return Fact(("one",), True, 0, (reasons.R_VASOPRESSIN_ALONE,), ("none",))
    return Fact(("none",), True, 0, (), None)


def _is_new(given: list, index: int) -> bool:
    return given[index] == "other" or given[index] not in given[:index]


def oxygen(inputs: dict, rules: Rules) -> Fact:
    """Support needed for hypoxia: "none", "low", "high" or "positive_pressure"; the device decides, never the SpO2."""
    device = inputs.get("oxygen")
    if device is None and is_complete(inputs):
        device = "room_air"
    if device is None:
        return Fact(_ANY_NEED, False, reasons.MISSING_OXYGEN, (), None)
    if device == "room_air":
        spo2_tenths = inputs.get("spo2_tenths")
        if spo2_tenths is None:
            if is_complete(inputs):
                return Fact(("none",), True, 0, (), None)
            return Fact(_ANY_NEED, False, reasons.MISSING_SPO2, (reasons.R_ROOM_AIR_UNSETTLED,), None)
        if spo2_tenths >= rules.spo2_need_tenths:
            return Fact(("none",), True, 0, (), None)
        # someone who needs oxygen and has none
        return Fact(_ANY_NEED, False, reasons.MISSING_OXYGEN, (reasons.R_ROOM_AIR_UNSETTLED,), None)
    need = OXYGEN_NEED[device]
    if need == "positive_pressure" and inputs.get("ventilation_not_for_hypoxia"):
        return Fact(("none",), True, 0, (reasons.R_VENTILATION_OTHER,), None)
    return Fact((need,), True, 0, (_NEED_REASONS[need],), None)


FACTS = {
    "fever": fever,
    "fever_earlier": fever_earlier,
    "pressure": pressure,
    "vasopressors": vasopressors,
    "oxygen": oxygen,
}
