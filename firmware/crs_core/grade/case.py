"""One case in the words of the vocabulary → fever, alarms and the interval of every scale.

For what people enter and for worked cases; the wearable's own path is grader.py. A 5 comes only from the key `death`,
which is a signed record.
"""

# mypy: disable-error-code="type-arg, no-any-return"
# States and cases are bare lists, tuples and dicts: MicroPython has no typing module to say more with.

from crs_core import reasons
from crs_core.grade import facts, vocabulary
from crs_core.grade.rules import DEFAULT, Rules
from crs_core.grade.scale import Scale, interval, matters
from crs_core.grade.scales import SCALES

_GRADE_OF_DEATH = 5
# A vasopressor counts as hypotension: who is asked for the one is asked for the other.
_ASKED_TOGETHER = ("pressure", "vasopressors")


def assess(inputs: dict, rules: Rules = DEFAULT) -> dict:
    """{"fever", "alarms", "grades": {scale: ...}} of a case; RemoteError names what the vocabulary does not have."""
    vocabulary.check(inputs)
    grades = {scale.name: assess_scale(scale, inputs, rules) for scale in SCALES}
    gradable = any([grades[name]["status"] != "not_gradable" for name in grades])
    return {
        "fever": reasons.FEVER_NAMES[facts.fever_state(inputs, rules)],
        "alarms": [] if "death" in inputs else alarms_of(inputs, gradable, rules),
        "grades": grades,
    }


def assess_scale(scale: Scale, inputs: dict, rules: Rules) -> dict:
    """Interval of one scale with its status, ambiguity, reasons and missing inputs; `inputs` is already checked."""
    found = {name: facts.FACTS[name](inputs, rules) for name in scale.facts}
    possible = {name: found[name].values for name in scale.facts}
    say: list = []
    missing: list = []
    known = False
    for name in scale.facts:
        fact = found[name]
        known = known or fact.known
        say.extend(fact.reasons)
        asked = _ASKED_TOGETHER if name in _ASKED_TOGETHER else (name,)
        if fact.missing and any([matters(scale, possible, one) for one in asked if one in possible]):
            missing.append(fact.missing)
    lower, upper = interval(scale, possible)
    if inputs.get("death") == "crs":
        return _result(scale, _GRADE_OF_DEATH, _GRADE_OF_DEATH, reasons.SIGNED, False, [reasons.R_DEATH], [])
    if not known:
        return _result(scale, None, None, reasons.NOT_GRADABLE, False, say, missing)
    other = {name: found[name].otherwise or possible[name] for name in scale.facts}
    ambiguous = interval(scale, other) != (lower, upper)
    return _result(scale, lower, upper, reasons.PROVISIONAL, ambiguous, say, missing)


def _result(
    scale: Scale, lower: int | None, upper: int | None, status: int, ambiguous: bool, say: list, missing: list
) -> dict:
    return {
        "version": scale.version,
        "lower": lower,
        "upper": upper,
        "status": reasons.STATUS_NAMES[status],
        "ambiguous": ambiguous,
        "reasons": [reasons.reason_text(code) for code in say],
        "missing": [reasons.MISSING_NAMES[code] for code in missing],
    }


def alarms_of(inputs: dict, gradable: bool, rules: Rules) -> list:
    """What a case would sound if it lasted: [{"name", "priority"}] in order of the alarm ids."""
    found = []
    fever = facts.fever_state(inputs, rules)
    if fever == reasons.FEVER_MET:
        found.append((reasons.FEVER, reasons.PRIORITY_MEDIUM))
    elif fever == reasons.FEVER_POSSIBLE:
        found.append((reasons.POSSIBLE_FEVER, reasons.PRIORITY_MEDIUM))
    spo2_tenths = inputs.get("spo2_tenths")
    if spo2_tenths is not None and spo2_tenths < rules.spo2_medium_tenths:
        low = spo2_tenths < rules.spo2_slow_tenths
        found.append((reasons.HYPOXAEMIA, reasons.PRIORITY_HIGH if low else reasons.PRIORITY_MEDIUM))
    if is_life_threatening(inputs, rules):
        found.append((reasons.LIFE_THREATENING, reasons.PRIORITY_HIGH))
    if not gradable and spo2_tenths is None and "hr_bpm" not in inputs:
        # how long it has been silent is not in a case, so the loudest step of that ladder
        found.append((reasons.NO_DATA, reasons.PRIORITY_HIGH))
    return [{"name": reasons.alarm_name(a), "priority": reasons.PRIORITY_NAMES[p]} for a, p in found]


def is_life_threatening(inputs: dict, rules: Rules) -> bool:
    """The pattern that sounds HIGH whatever the grade: (a) pressure, (b) brain, (c) oxygen or (d) two signs."""
    if facts.pressure(inputs, rules).values == ("hypotension",):
        return True
    if (
        inputs.get("seizure", "none") != "none"
        or inputs.get("consciousness") == "unarousable"
        or inputs.get("ice", 10) <= rules.ice_low_points
        or inputs.get("capd", 0) >= rules.capd_high_points
        or inputs.get("motor_weakness")
    ):
        return True
    if facts.oxygen(inputs, rules).values in (("high",), ("positive_pressure",)):
        return True
    organ = max([inputs.get(key, 0) for key in ("organ_grade", "transaminase_grade", "creatinine_grade")])
    signs = (
        inputs.get("temperature_cc", 0) >= rules.high_temp_cc,
        inputs.get("spo2_tenths", 1000) < rules.spo2_slow_tenths,
        inputs.get("hr_bpm", 0) > rules.hr_high_bpm,
        organ >= rules.organ_high_grade,
    )
    return sum([1 for sign in signs if sign]) >= 2
