"""The stated totals: from the true crossing to the alarm at most 90 s for HIGH and 150 s for MEDIUM.

The total is made of the signal delay (at most 10 s: the true value reaches the inputs that late), the condition delay
(rules) and one step. It is measured here for the default rules and for the slowest that a clinician may sign.
"""

import pytest
from crs_core import code_texts, codes, units
from crs_core.errors import LocalError
from crs_core.grade import alarms, rules
from crs_core.grade.rules import DEFAULT
from crs_core.grade.rules_table import TABLE

SIGNAL_DELAY_S = 10
HIGH_S = 90
MEDIUM_S = 150
QUIET = alarms.Inputs(3700, 0, 0, 970, 80, 150, 0, 0, 1, 1, 1, 0, 0, 0)
NO_PULSE = {"spo2_tenths": None, "hr_bpm": None, "pi_hundredths": 0, "ppg_state": units.PPG_NO_PULSE}
LOW_PERFUSION = {"spo2_tenths": None, "hr_bpm": None, "ppg_state": units.PPG_LOW_PERFUSION}


def slowest() -> rules.Rules:
    """Every delay that these totals hang on at the highest value that passes the check."""
    limits = {
        row[0]: row[4]
        for row in TABLE
        if row[0]
        in (
            "fever_delay_ms",
            "high_temp_delay_ms",
            "spo2_fast_ms",
            "spo2_slow_ms",
            "spo2_medium_ms",
            "hr_delay_ms",
            "pulse_lost_ms",
            "spo2_lost_ms",
        )
    }
    return rules.with_limits(DEFAULT, limits)


def total_s(alarm: int, priority: int, true_values: dict, settings: rules.Rules, phase_ms: int = 0) -> int:
    """Seconds, rounded up, from the crossing (at `phase_ms` before a step) to the first step that raises it."""
    state = alarms.new_state()
    now_ms = 0
    for _ in range(120):
        now_ms += 1000
        state, _ = alarms.step(state, QUIET, now_ms, settings)
    crossing_ms = now_ms + 1000 - phase_ms
    while now_ms < crossing_ms + 300_000:
        now_ms += 1000
        late = now_ms - crossing_ms >= SIGNAL_DELAY_S * 1000
        inputs = QUIET._replace(**true_values) if late else QUIET
        state, _ = alarms.step(state, inputs, now_ms, settings)
        if (alarm, priority) in alarms.active(state):
            return -(-(now_ms - crossing_ms) // 1000)
    raise AssertionError(f"{code_texts.alarm_name(alarm)} never came")


CASES = [
    (codes.HYPOXAEMIA, 3, {"spo2_tenths": 879}, HIGH_S),
    (codes.HYPOXAEMIA, 3, {"spo2_tenths": 899}, HIGH_S),
    (codes.HYPOXAEMIA, 2, {"spo2_tenths": 919}, MEDIUM_S),
    (codes.LIFE_THREATENING, 3, {"temp_cc": 3900, "hr_bpm": 121}, HIGH_S),
    (codes.LIFE_THREATENING, 3, {"temp_cc": 3900, "spo2_tenths": 899}, HIGH_S),
    (codes.LIFE_THREATENING, 3, {"hr_bpm": 121, "spo2_tenths": 899}, HIGH_S),
    (codes.PULSE_LOST, 3, NO_PULSE, HIGH_S),
    (codes.FEVER, 2, {"temp_cc": 3800}, MEDIUM_S),
    (codes.PATIENT_BUTTON, 2, {"button": 2}, MEDIUM_S),
]
IDS = [f"{code_texts.alarm_name(c[0])}-{c[1]}-{n}" for n, c in enumerate(CASES)]


@pytest.mark.parametrize("which", ["default", "slowest"])
@pytest.mark.parametrize("phase_ms", [0, 1, 500, 999])
@pytest.mark.parametrize(("alarm", "priority", "values", "limit_s"), CASES, ids=IDS)
def test_the_total_from_true_crossing_to_alarm_holds(
    alarm: int, priority: int, values: dict, limit_s: int, phase_ms: int, which: str
) -> None:
    settings = DEFAULT if which == "default" else slowest()
    assert total_s(alarm, priority, values, settings, phase_ms) <= limit_s


@pytest.mark.parametrize("which", ["default", "slowest"])
@pytest.mark.parametrize("risk", [{"spo2_tenths": 919}, {"hr_bpm": 121}])
def test_a_saturation_lost_at_risk_is_told_within_a_minute(risk: dict, which: str) -> None:
    settings = DEFAULT if which == "default" else slowest()
    state = alarms.new_state()
    now_ms = 0
    for _ in range(5):
        now_ms += 1000
        state, _ = alarms.step(state, QUIET._replace(**risk), now_ms, settings)
    for second in range(61):
        now_ms += 1000
        inputs = QUIET._replace(**(LOW_PERFUSION if second >= SIGNAL_DELAY_S else risk))
        state, _ = alarms.step(state, inputs, now_ms, settings)
        if codes.SPO2_LOST in dict(alarms.active(state)):
            assert second <= 60
            return
    raise AssertionError("never told")


def test_delays_that_break_the_totals_cannot_be_signed() -> None:
    for name, wrong in (
        ("spo2_slow_ms", 80_000),
        ("spo2_medium_ms", 140_000),
        ("hr_delay_ms", 80_000),
        ("high_temp_delay_ms", 80_000),
        ("spo2_lost_ms", 50_000),
        ("alarm_ppg_max_age_ms", 10_001),
    ):
        with pytest.raises(LocalError, match=name):
            rules.with_limits(DEFAULT, {name: wrong})


@pytest.mark.parametrize("seconds_low", range(1, 15))
@pytest.mark.parametrize(
    "then",
    [
        NO_PULSE,
        LOW_PERFUSION,
        {"spo2_tenths": None, "hr_bpm": None, "ppg_state": units.PPG_NO_CONTACT},
        {"spo2_tenths": None, "hr_bpm": None, "ppg_state": units.PPG_NO_CONTACT, "wear": 2, "temp_state": 2},
        {"ppg_age_ms": 10_001, "spo2_tenths": 860},
        {"ppg_age_ms": None, "spo2_tenths": None, "hr_bpm": None, "ppg_state": units.PPG_ABSENT, "faults": 2},
    ],
)
def test_a_short_low_saturation_followed_by_nothing_still_sounds_high(seconds_low: int, then: dict) -> None:
    state = alarms.new_state()
    for second in range(1, 17):
        values = {"spo2_tenths": 860} if second <= seconds_low else then
        state, _ = alarms.step(state, QUIET._replace(**values), second * 1000, DEFAULT)
    assert dict(alarms.active(state))[codes.HYPOXAEMIA] == codes.PRIORITY_HIGH
