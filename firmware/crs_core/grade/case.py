"""One case in the words of the vocabulary → fever, alarms and the interval of every scale.

For what people enter and for worked cases; the wearable's own path is grader.py. A 5 comes only from the key `death`,
which is a signed record.
"""

# mypy: disable-error-code="type-arg, no-any-return"
# States and cases are bare lists, tuples and dicts: MicroPython has no typing module to say more with.

from crs_core import entry_codes
from crs_core import code_texts
from crs_core import codes
from crs_core.grade import alarm_state as st
from crs_core.grade import facts, signs, vocabulary
from crs_core.grade.rules import DEFAULT, Rules
from crs_core.grade.scale import Fact, Scale, holds, interval, weighty
from crs_core.grade.scales import ICANS, SCALES
from crs_core.grade.scales.entered_facts import read

_GRADE_OF_DEATH = 5
# A vasopressor counts as hypotension: who is asked for the one is asked for the other.
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
        death = entry_codes.R_DEATH_ICANS if scale.death == "icans" else codes.R_DEATH
        return _result(scale, (_GRADE_OF_DEATH, _GRADE_OF_DEATH), codes.SIGNED, [], [death], [])
    found = {name: _fact(name, inputs, rules, known) for name in scale.facts}
    possible = {name: found[name].values for name in found}
    worth_asking = weighty(scale, possible)
    say: list = []
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

    A reading counts where its condition is settled: that an open input could still lead to an ambiguous cell does not
    make the case ambiguous, it makes it open.
    """
    found = {name: _fact(name, inputs, rules, known) for name in scale.facts}
    possible = {name: found[name].values for name in found}
    readings = []
    for name in scale.facts:
        if found[name].otherwise:
            other = possible.copy()
            other[name] = found[name].otherwise
            readings.append((interval(scale, other), _reason_of_fact(name)))
    for row in scale.rows:
        for grade, conditions, reason in row.others:
            if _is_settled(conditions, inputs, rules, known):
                readings.append((interval(scale, possible, (row.name, grade)), reason))
    gate = [_fact(name, inputs, rules, known).values for name, _ in scale.other_gate]
    if gate and all([values == ("no",) for values in gate]):
        readings.append(((0, 0), entry_codes.R_READ_FEVER_GATE))
    return readings


def _reason_of_fact(name: str) -> int:
    return entry_codes.R_READ_VENTILATION_OTHER if name == "support" else codes.R_VASOPRESSIN_ALONE


def _is_settled(conditions: tuple, inputs: dict, rules: Rules, known: dict) -> bool:
    """True when each condition holds for everything that its fact can still be."""
    for name, wanted in conditions:
        for value in _fact(name, inputs, rules, known).values:
            if not holds(((name, wanted),), {name: value}):
                return False
    return True


def _fact(name: str, inputs: dict, rules: Rules, known: dict) -> Fact:
    if name not in known:
        known[name] = read(name, inputs, rules)
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
            {"lower": reading[0], "upper": reading[1], "why": code_texts.reason_text(code)}
            for reading, code in others
        ],
        "reasons": [code_texts.reason_text(code) for code in say],
        "missing": [code_texts.MISSING_NAMES[code] for code in missing],
    }


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
        # how long it has been silent is not in a case, so the loudest step of that ladder
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
