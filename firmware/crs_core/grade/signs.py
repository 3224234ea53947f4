"""The signs in what people entered, one bit each; the alarm conditions read them every second.

The life-threatening patterns sound whatever the grade: hypotension or any vasopressor; seizure, unarousable, a low ICE
or a high CAPD, focal weakness; high-flow, mask or positive-pressure oxygen, or a rising need.
"""

# mypy: disable-error-code="type-arg, no-any-return"
# States and cases are bare lists, tuples and dicts: MicroPython has no typing module to say more with.

from crs_core.compat import const
from crs_core.grade import alarm_state as st
from crs_core.grade import entries, facts
from crs_core.grade.rules import Rules

_ICE_FULL = const(10)
_SPO2_FULL = const(1000)
_HIGH_FLOW = const(2)


def of(values: dict, rules: Rules) -> int:
    """The bits of {key: value}; keys as in vocabulary.py, and entries.RISING_NEED."""
    bits = 0
    if facts.pressure(values, rules).values == ("hypotension",):
        bits |= st.TOLD_HYPOTENSION | st.TOLD_LIFE_THREATENING
    capd_high = values.get("capd", 0) >= rules.capd_high_points
    if values.get("ice", _ICE_FULL) < _ICE_FULL or capd_high:
        bits |= st.TOLD_ICE_LOW
    if (
        capd_high
        or values.get("ice", _ICE_FULL) <= rules.ice_low_points
        or values.get("seizure", "none") != "none"
        or values.get("consciousness") == "unarousable"
        or values.get("motor_weakness")
    ):
        bits |= st.TOLD_LIFE_THREATENING
    need = entries.oxygen_need(values)[0]
    if need:
        bits |= st.TOLD_NEW_OXYGEN
    if need >= _HIGH_FLOW or values.get(entries.RISING_NEED):
        bits |= st.TOLD_LIFE_THREATENING
    organ = max([values.get(key, 0) for key in ("organ_grade", "transaminase_grade", "creatinine_grade")])
    if organ >= rules.organ_high_grade:
        bits |= st.TOLD_ORGAN
    hand_cc = values.get("temperature_cc", 0)
    if hand_cc >= rules.fever_cc:
        bits |= st.TOLD_FEVER
    if hand_cc >= rules.high_temp_cc:
        bits |= st.TOLD_HOT
    if values.get("hr_bpm", 0) > rules.hr_high_bpm:
        bits |= st.TOLD_FAST_HEART
    if values.get("spo2_tenths", _SPO2_FULL) < rules.spo2_medium_tenths:
        bits |= st.TOLD_SPO2_MEDIUM
    if values.get("spo2_tenths", _SPO2_FULL) < rules.spo2_slow_tenths:
        bits |= st.TOLD_SPO2_LOW
    if values.get("death"):
        bits |= st.TOLD_DEATH
    return bits


def of_entries(told: list, rules: Rules) -> int:
    """The bits of all entries, the lapsed ones too: no alarm ends because an entry is old."""
    bits = of(entries.values_of(told), rules)
    if len(facts.pressure(entries.in_force(told), rules).values) == 1:
        bits |= st.TOLD_PRESSURE_KNOWN
    return bits | st.TOLD_REASSESS if entries.lapsed(told) else bits
