"""What the wearable gets of an entry: its numbers (crs_core.context), those keys of it that are in force, no others."""

from typing import Any

from crs_core import context, units
from crs_core.grade import facts, vocabulary
from crs_core.grade.rules import DEFAULT, Rules

from host_agent.patient.profile import decode_profile
from host_agent.people.context_state import State
from host_agent.people.context_values import PRESSURE

CONSCIOUSNESS = ("spontaneous", "voice", "touch", "unarousable")
SEIZURE = ("none", "brief", "prolonged")
DEATH = {"crs": 1, "icans": 2, "other": 3}
_ORGANS = ("organ_grade", "transaminase_grade", "creatinine_grade")
_AS_THEY_ARE = {
    "ice": context.ICE, "capd": context.CAPD, "spo2_tenths": context.SPO2_TENTHS, "hr_bpm": context.HR_BPM,
    "antipyretic": context.ANTIPYRETIC, "steroid": context.STEROID, "anticytokine": context.ANTICYTOKINE,
    "fever_earlier": context.FEVER_EARLIER, "fever_other_cause": context.FEVER_OTHER_CAUSE,
    "ventilation_not_for_hypoxia": context.VENTILATION_NOT_FOR_HYPOXIA, "motor_weakness": context.MOTOR_WEAKNESS,
}  # fmt: skip
_BY_INDEX: dict[str, tuple[int, tuple[str, ...]]] = {
    "oxygen": (context.OXYGEN, vocabulary.OXYGEN),
    "consciousness": (context.CONSCIOUSNESS, CONSCIOUSNESS),
    "seizure": (context.SEIZURE, SEIZURE),
    "site": (context.SITE, units.SITES),
    "temperature_cc": (context.TEMPERATURE_CC, ()),
}


def numbers_of(audit: int, state: State, profile: str, rules: Rules = DEFAULT) -> dict[int, int | None]:
    """Key number → value (None: withdrawn) of the entry with this audit row, as far as it is in force in `state`.

    `profile` is the binding's: age and own usual pressure are part of the site's rule for hypotension.
    """
    own = {key: held.value for key, held in state.items() if held.given.audit == audit}
    numbers: dict[int, int | None] = {}
    for key, value in own.items():
        if key in _AS_THEY_ARE:
            numbers[_AS_THEY_ARE[key]] = None if value is None else int(value)
        elif key in _BY_INDEX:
            number, words = _BY_INDEX[key]
            numbers[number] = None if value is None else words.index(value) if words else int(value)
    if any(key in own for key in PRESSURE):
        numbers[context.BLOOD_PRESSURE] = _pressure(state, profile, rules)
    for key, number, unit in (("flow_lpm", context.FLOW_DLPM, 10), ("fio2_pct", context.FIO2_PCT, 1)):
        if key in own:
            numbers[number] = None if own[key] is None else round(own[key] * unit)
    if "vasopressors" in own:
        numbers[context.VASOPRESSORS] = _vasopressors(own["vasopressors"], rules)
    if any(key in own for key in _ORGANS):
        grades = [state[key].value for key in _ORGANS if key in state and state[key].value is not None]
        numbers[context.ORGAN_GRADE_WORST] = max(grades) if grades else None
    return numbers


def inputs_of_profile(profile: str) -> dict[str, int]:
    """The keys of the vocabulary that the profile answers."""
    pairs = decode_profile(profile)
    inputs = {}
    if pairs.get("age_years", "").isdigit():
        inputs["age_months"] = 12 * int(pairs["age_years"])
    if pairs.get("systolic_mmhg", "").isdigit():
        inputs["baseline_systolic_mmhg"] = int(pairs["systolic_mmhg"])
    return inputs


def _pressure(state: State, profile: str, rules: Rules) -> int | None:
    """0 held, 1 hypotension by the site's rule, None when what was measured does not settle it."""
    inputs: dict[str, Any] = inputs_of_profile(profile)
    for key in (*PRESSURE, "age_months", "baseline_systolic_mmhg"):
        if key in state and state[key].value is not None:
            inputs[key] = state[key].value
    judged = facts.pressure(inputs, rules).values
    return 0 if judged == ("held",) else 1 if judged == ("hypotension",) else None


def _vasopressors(given: list[str] | None, rules: Rules) -> int | None:
    if given is None:
        return None
    if given and all(name == "vasopressin" for name in given):
        return context.VASOPRESSIN_ALONE  # type: ignore[no-any-return]
    numbers: dict[str, int] = {
        "none": context.VASOPRESSORS_NONE, "one": context.VASOPRESSORS_ONE, "several": context.VASOPRESSORS_SEVERAL,
    }  # fmt: skip
    return numbers[facts.vasopressors({"vasopressors": given}, rules).values[0]]
