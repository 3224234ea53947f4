"""What the inputs of a case say about each fact that a table reads: the values it can still have.

An absent key is unknown, unless the case is `context: complete`: then it was asked and there is none. The scales of the
host read more facts (scales/shared_facts.py and their own files).
"""

# mypy: disable-error-code="type-arg, no-any-return"
# States and cases are bare lists, tuples and dicts: MicroPython has no typing module to say more with.

from crs_core import codes
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
    "low": codes.R_OXYGEN_LOW,
    "high": codes.R_OXYGEN_HIGH,
    "positive_pressure": codes.R_POSITIVE_PRESSURE,
}
_ANY_NEED = ("none", "low", "high", "positive_pressure")
_EITHER_PRESSURE = ("held", "hypotension")


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
        return codes.FEVER_UNKNOWN
    if temp_cc >= rules.fever_cc:
        return codes.FEVER_MET
    if is_masked(inputs):
        return codes.FEVER_MASKED
    if inputs["site"] == "axilla":
        return codes.FEVER_POSSIBLE if temp_cc >= rules.possible_cc else codes.FEVER_NOT_MET
    return codes.FEVER_NOT_MET if inputs["site"] in _SETTLING_SITES else codes.FEVER_UNKNOWN


def fever(inputs: dict, rules: Rules) -> Fact:
    """A present fever of the syndrome: "yes" or "no"."""
    state = fever_state(inputs, rules)
    known = "temperature_cc" in inputs
    missing = 0 if known else codes.MISSING_TEMPERATURE
    if inputs.get("fever_other_cause"):
        # Whatever the temperature turns out to be, a present fever is not of the syndrome.
        return Fact(("no",), known, missing, (codes.R_OTHER_CAUSE,), None)
    if state == codes.FEVER_MET:
        return Fact(("yes",), True, 0, (codes.R_FEVER_MET,), None)
    if state == codes.FEVER_MASKED:
        return Fact(_EITHER, True, 0, (codes.R_MASKED,), None)
    if not known:
        return Fact(_EITHER, False, missing, (), None)
    site = inputs["site"]
    if site in _SETTLING_SITES:
        return Fact(("no",), True, 0, (codes.R_BELOW,), None)
    below = codes.R_BELOW_AT_AXILLA if site == "axilla" else codes.R_SKIN_BELOW
    # a temperature from a site that settles the row is what would help
    return Fact(_EITHER, True, codes.MISSING_TEMPERATURE, (below,), None)


def fever_earlier(inputs: dict, rules: Rules) -> Fact:
    """The fever of the syndrome was met earlier in this episode: "yes" or "no". Makes nothing gradable by itself."""
    given = inputs.get("fever_earlier")
    if given:
        return Fact(("yes",), False, 0, (codes.R_FEVER_EARLIER,), None)
    if given is None and not is_complete(inputs):
        return Fact(_EITHER, False, codes.MISSING_FEVER_EARLIER, (), None)
    # With masking at its onset the fever may have been hidden; that uncertainty sits in the row "fever".
    return Fact(("no",), False, 0, (), None)


def pressure(inputs: dict, rules: Rules) -> Fact:
    """Blood pressure by the site's rule: "held" or "hypotension"; any vasopressor counts as hypotension."""
    judged = inputs.get("blood_pressure")
    if inputs.get("vasopressors") or judged == "hypotension":
        return Fact(("hypotension",), True, 0, (codes.R_HYPOTENSION,), None)
    if judged == "normal":
        return Fact(("held",), True, 0, (), None)
    if "systolic_mmhg" in inputs or "map_mmhg" in inputs:
        values = _measured(inputs, rules)
        if values == ("hypotension",):
            return Fact(values, True, 0, (codes.R_HYPOTENSION,), None)
        return Fact(values, True, codes.MISSING_BLOOD_PRESSURE if len(values) > 1 else 0, (), None)
    if is_complete(inputs):
        return Fact(("held",), True, 0, (), None)
    return Fact(_EITHER_PRESSURE, False, codes.MISSING_BLOOD_PRESSURE, (), None)


def _measured(inputs: dict, rules: Rules) -> tuple:
    """What the measured values leave; without an age only what all ages agree on, below one year no rule is given."""
    age_months = inputs.get("age_months")
    if age_months is None:
        adult = _measured_adult(inputs, rules)
        child = _measured_child(inputs, rules, rules.child_systolic_per_year_mmhg, 0)
        return adult if adult == child else _EITHER_PRESSURE
    if age_months < rules.infant_below_months:
        return _EITHER_PRESSURE
    if age_months < rules.child_below_months:
        per_year = rules.child_systolic_per_year_mmhg * (age_months // 12)
        return _measured_child(inputs, rules, per_year, per_year)
    return _measured_adult(inputs, rules)


def _measured_child(inputs: dict, rules: Rules, least: int, most: int) -> tuple:
    """1-10 years below 70 + 2 x age; above 10 years below 90 (Mahadeo et al. 2019); `most` 0: age not known."""
    systolic_mmhg = inputs.get("systolic_mmhg")
    if systolic_mmhg is None:
        return ("held",) if is_complete(inputs) else _EITHER_PRESSURE
    cap = rules.child_systolic_cap_mmhg
    if systolic_mmhg < min(rules.child_systolic_mmhg + least, cap):
        return ("hypotension",)
    if systolic_mmhg >= (min(rules.child_systolic_mmhg + most, cap) if most else cap):
        return ("held",)
    return _EITHER_PRESSURE


def _measured_adult(inputs: dict, rules: Rules) -> tuple:
    """12 years and over: below the site's limit, a low mean pressure, or well below the patient's own baseline."""
    mean_mmhg = inputs.get("map_mmhg")
    if mean_mmhg is not None and mean_mmhg < rules.hypotension_map_mmhg:
        return ("hypotension",)
    systolic_mmhg = inputs.get("systolic_mmhg")
    if systolic_mmhg is None:
        return ("held",) if is_complete(inputs) else _EITHER_PRESSURE
    baseline_mmhg = inputs.get("baseline_systolic_mmhg")
    if systolic_mmhg < rules.hypotension_systolic_mmhg or (
        baseline_mmhg is not None
        and systolic_mmhg < rules.hypotension_fall_below_mmhg
        and systolic_mmhg * 100 < baseline_mmhg * rules.hypotension_fall_percent
    ):
        return ("hypotension",)
    return ("held",)


def vasopressors(inputs: dict, rules: Rules) -> Fact:
    """Agents given, vasopressin not counted towards several: "none", "one" or "several".

    Vasopressin alone is not named by the table; it is read as one, and as none under the other reading.
    """
    given = inputs.get("vasopressors")
    if given is None:
        if is_complete(inputs):
            return Fact(("none",), True, 0, (), None)
        return Fact(("none", "one", "several"), False, codes.MISSING_VASOPRESSORS, (), None)
    counted = different([name for name in given if name != "vasopressin"])
    if counted > 1:
        return Fact(("several",), True, 0, (codes.R_SEVERAL_VASOPRESSORS,), None)
    if counted:
        return Fact(("one",), True, 0, (codes.R_ONE_VASOPRESSOR,), None)
    if given:
        return Fact(("one",), True, 0, (codes.R_VASOPRESSIN_ALONE,), ("none",))
    return Fact(("none",), True, 0, (), None)


def different(names: list) -> int:
    """How many drugs a list names: one given twice is one; two times "other" are two, there being no other way."""
    return sum([1 for i, name in enumerate(names) if name == "other" or name not in names[:i]])


def is_saturated(inputs: dict, rules: Rules) -> bool:
    """True when a valid saturation is at or above the limit that settles room air."""
    return inputs.get("spo2_tenths", 0) >= rules.spo2_need_tenths


def oxygen(inputs: dict, rules: Rules) -> Fact:
    """Support needed for hypoxia: "none", "low", "high" or "positive_pressure"; the device decides, never the SpO2."""
    device = inputs.get("oxygen")
    if device is None and is_complete(inputs):
        device = "room_air"
    if device is None:
        # With a good saturation no device stands for a need that is not met, so the statement holds for all of them.
        is_other = inputs.get("ventilation_not_for_hypoxia") and is_saturated(inputs, rules)
        return Fact(_ANY_NEED[:3] if is_other else _ANY_NEED, False, codes.MISSING_OXYGEN, (), None)
    if device == "room_air":
        spo2_tenths = inputs.get("spo2_tenths")
        if spo2_tenths is None:
            if is_complete(inputs):
                return Fact(("none",), True, 0, (), None)
            return Fact(_ANY_NEED, False, codes.MISSING_SPO2, (codes.R_ROOM_AIR_UNSETTLED,), None)
        if is_saturated(inputs, rules):
            return Fact(("none",), True, 0, (), None)
        # someone who needs oxygen and has none
        return Fact(_ANY_NEED, False, codes.MISSING_OXYGEN, (codes.R_ROOM_AIR_UNSETTLED,), None)
    need = OXYGEN_NEED[device]
    if need == "positive_pressure" and inputs.get("ventilation_not_for_hypoxia"):
        return Fact(("none",), True, 0, (codes.R_VENTILATION_OTHER,), None)
    return Fact((need,), True, 0, (_NEED_REASONS[need],), None)
