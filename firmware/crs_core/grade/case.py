"""One case in the words of the vocabulary → fever, alarms and the interval of every scale.

For what people enter and for worked cases; the wearable's own path is grader.py. A 5 comes only from the key `death`, a
signed record.
"""

# mypy: disable-error-code="type-arg, no-any-return"
# States and cases are bare lists, tuples and dicts: MicroPython has no typing module to say more with.

from crs_core import code_texts, codes
from crs_core.grade import alarm_state as st
from crs_core.grade import facts, signs, vocabulary
from crs_core.grade.rules import DEFAULT, Rules
from crs_core.grade.scale import Fact, Scale, holds, interval, weighty
from crs_core.grade.scales import FACTS, ICANS, MISSING_KEYS, PUBLISHED, REASON_TEXTS, SCALES
from crs_core.grade.scales.shared_rows import FEVER_GATE

_GRADE_OF_DEATH = 5
# A vasopressor counts as hypotension, so both are asked for together.
_ASKED_TOGETHER = ("pressure", "vasopressors", "agents")
_NEUROLOGICAL = ("ice", "capd", "consciousness", "seizure", "motor_weakness", "cerebral_oedema")


def assess(inputs: dict, rules: Rules = DEFAULT) -> dict:
    """{"fever", "alarms", "grades": {scale: ...}} of a case; RemoteError names what the vocabulary does not have."""
    vocabulary.check(inputs)
    known: dict = {}
    grades = {scale.name: assess_scale(scale, inputs, rules, known) for scale in SCALES}
    if inputs.get("death") == ICANS.death or any([key in inputs for key in _NEUROLOGICAL]):
        grades[ICANS.name] = assess_scale(ICANS, inputs, rules, known)
    gradable = grades[SCALES[0].name]["status"] != "not_gradable"
    return {
        "fever": codes.FEVER_NAMES[facts.fever_state(inputs, rules)],
        "alarms": [] if "death" in inputs else alarms_of(inputs, gradable, rules),
        "grades": grades,
    }


def assess_scale(scale: Scale, inputs: dict, rules: Rules, known: dict) -> dict:
    """Interval of one scale with its status, ambiguity, reasons and missing inputs; `inputs` is already checked.

    `known` holds the facts of this case that were read before: one dict for all scales, empty at first.
    """
    if inputs.get("death") == scale.death:
        say = [PUBLISHED[scale.name].death.number]
        return _result(scale, (_GRADE_OF_DEATH, _GRADE_OF_DEATH), codes.SIGNED, [], say, [])
    found = {name: _fact(name, inputs, rules, known) for name in scale.facts}
    possible = {name: found[name].values for name in found}
    worth_asking = weighty(scale, possible)
    say = []
    missing: list = []
    for name in scale.facts:
        fact = found[name]
        say.extend(fact.reasons)
        if fact.missing and any([one in worth_asking for one in _asked_with(scale, name)]):
            missing.append(fact.missing)
    if not any([found[name].known for name in found]):
        return _result(scale, (None, None), codes.NOT_GRADABLE, [], say, missing)
    told = interval(scale, possible)
    others = []
    for reading in other_readings(scale, inputs, rules, known):
        if reading[0] != told:
            others.append(reading)
            if reading[1] not in say:
                say.append(reading[1])
    return _result(scale, told, codes.PROVISIONAL, others, say, missing)


def other_readings(scale: Scale, inputs: dict, rules: Rules, known: dict) -> list:
    """[((lower, upper), reason code)] of the case under each other reading of the table, taken one at a time.

    A reading counts when its condition is settled. An open input that could still lead to an ambiguous cell makes the
    case open, not ambiguous.
    """
    found = {name: _fact(name, inputs, rules, known) for name in scale.facts}
    possible = {name: found[name].values for name in found}
    readings = []
    for name in scale.facts:
        if found[name].otherwise:
            other = possible.copy()
            other[name] = found[name].otherwise
            readings.append((interval(scale, other), FACTS[name].otherwise.number))
    for row in scale.rows:
        for of, conditions, why in row.others:
            if _is_settled(conditions, inputs, rules, known):
                readings.append((interval(scale, possible, (row.name, of)), why.number))
    gate = [_fact(name, inputs, rules, known).values for name, _ in scale.other_gate]
    if gate and all([values == ("no",) for values in gate]):
        readings.append(((0, 0), FEVER_GATE.number))
    return readings


def _is_settled(conditions: tuple, inputs: dict, rules: Rules, known: dict) -> bool:
    """True when each condition holds for everything that its fact can still be."""
    for name, wanted in conditions:
        for value in _fact(name, inputs, rules, known).values:
            if not holds(((name, wanted),), {name: value}):
                return False
    return True


def _fact(name: str, inputs: dict, rules: Rules, known: dict) -> Fact:
    if name not in known:
        known[name] = FACTS[name].read(inputs, rules)
    return known[name]


def _asked_with(scale: Scale, name: str) -> tuple:
    """The facts whose weight decides whether the input of `name` is asked for."""
    if name in _ASKED_TOGETHER:
        for row in scale.rows:
            if name in row.facts:
                return tuple([fact for fact in row.facts if fact in _ASKED_TOGETHER])
    return (name,)


def _result(scale: Scale, told: tuple, status: int, others: list, say: list, missing: list) -> dict:
    return {
        "version": scale.version,
        "lower": told[0],
        "upper": told[1],
        "status": codes.STATUS_NAMES[status],
        "ambiguous": bool(others),
        "other_readings": [
            {"lower": reading[0], "upper": reading[1], "why": _text(code)} for reading, code in others
        ],
        "reasons": [_text(code) for code in say],
        "missing": [MISSING_KEYS[code] for code in missing],
    }


def _text(code: int) -> str:
    return REASON_TEXTS.get(code) or code_texts.reason_text(code)


def alarms_of(inputs: dict, gradable: bool, rules: Rules) -> list:
    """What a case would sound if it lasted: [{"name", "priority"}] in order of the alarm ids."""
    found = []
    fever = facts.fever_state(inputs, rules)
    if fever == codes.FEVER_MET:
        found.append((codes.FEVER, codes.PRIORITY_MEDIUM))
    elif fever == codes.FEVER_POSSIBLE:
        found.append((codes.POSSIBLE_FEVER, codes.PRIORITY_MEDIUM))
    spo2_tenths = inputs.get("spo2_tenths")
    if spo2_tenths is not None and spo2_tenths < rules.spo2_medium_tenths:
        low = spo2_tenths < rules.spo2_slow_tenths
        found.append((codes.HYPOXAEMIA, codes.PRIORITY_HIGH if low else codes.PRIORITY_MEDIUM))
    bits = signs.of(inputs, rules)
    if is_life_threatening(inputs, rules, bits):
        found.append((codes.LIFE_THREATENING, codes.PRIORITY_HIGH))
    if not gradable and spo2_tenths is None and "hr_bpm" not in inputs:
        # a case does not say for how long it has been silent, so the highest priority of NO_DATA
        found.append((codes.NO_DATA, codes.PRIORITY_HIGH))
    if bits & st.TOLD_HYPOTENSION:
        found.append((codes.HYPOTENSION, codes.PRIORITY_HIGH))
    if bits & st.TOLD_ICE_LOW:
        found.append((codes.ICE_LOW, codes.PRIORITY_MEDIUM))
    if bits & st.TOLD_NEW_OXYGEN:
        found.append((codes.NEW_OXYGEN, codes.PRIORITY_MEDIUM))
    return [{"name": code_texts.alarm_name(a), "priority": codes.PRIORITY_NAMES[p]} for a, p in found]


def is_life_threatening(inputs: dict, rules: Rules, bits: int) -> bool:
    """The pattern that sounds HIGH whatever the grade: (a) to (c) by the signs of entries, or (d) two signs."""
    of_sensors = (
        inputs.get("temperature_cc", 0) >= rules.high_temp_cc,
        inputs.get("spo2_tenths", 1000) < rules.spo2_slow_tenths,
        inputs.get("hr_bpm", 0) > rules.hr_high_bpm,
        bits & st.TOLD_ORGAN != 0,
    )
    return bits & st.TOLD_LIFE_THREATENING != 0 or sum([1 for sign in of_sensors if sign]) >= 2
