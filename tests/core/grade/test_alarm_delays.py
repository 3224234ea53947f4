"""The stated totals: from the true crossing to the alarm at most 90 s for HIGH and 150 s for MEDIUM.

The total is made of the signal delay (at most 10 s: the true value reaches the inputs that late), the condition delay
(rules) and one step. It is measured here for the default rules and for the slowest that a clinician may sign.
"""

from collections.abc import Iterable, Iterator

import pytest
from crs_core import code_texts, codes, units
from crs_core.errors import LocalError
from crs_core.grade import alarms, rules
from crs_core.grade.rules import DEFAULT
from crs_core.grade.rules_table import TABLE

from tests.fakes.one_step import QUIET

SIGNAL_DELAY_S = 10
HIGH_S = 90
MEDIUM_S = 150
NO_PULSE = {"spo2_tenths": None, "hr_bpm": None, "pi_hundredths": 0, "ppg_state": units.PPG_NO_PULSE}
LOW_PERFUSION = {"spo2_tenths": None, "hr_bpm": None, "ppg_state": units.PPG_LOW_PERFUSION}


def slowest() -> rules.Rules:
    """Every delay that these totals hang on at the highest value that passes the check."""
    hang_on = (
        "fever_delay",
        "high_temp_delay",
        "spo2_fast",
        "spo2_slow",
        "spo2_medium",
        "hr_delay",
        "pulse_lost",
        "spo2_lost",
    )
    highest = {row[0]: row[4] for row in TABLE}
    return rules.with_limits(DEFAULT, {f"{name}_ms": highest[f"{name}_ms"] for name in hang_on})


def stepped(
    life: Iterable[dict], settings: rules.Rules, state: list | None = None, start_ms: int = 0
) -> Iterator[list]:
    """The state after each second of inputs that differ from a quiet wearer's."""
    state = state or alarms.new_state()
    for second, values in enumerate(life, 1):
        state, _ = alarms.step(state, QUIET._replace(**values), start_ms + 1000 * second, settings)
        yield state


def total_s(alarm: int, priority: int, true_values: dict, settings: rules.Rules, phase_ms: int = 0) -> int:
    """Seconds, rounded up, from the crossing (at `phase_ms` before a step) to the first step that raises it."""
    quiet_s = 120
    crossing_ms = (quiet_s + 1) * 1000 - phase_ms
    # the step to which the true value has come through
    known_s = -(-(crossing_ms + SIGNAL_DELAY_S * 1000) // 1000)
    life = [{}] * (known_s - 1) + [true_values] * 300
    for second, state in enumerate(stepped(life, settings), 1):
        if second > quiet_s and (alarm, priority) in alarms.active(state):
            return -(-(second * 1000 - crossing_ms) // 1000)
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
    *_, state = stepped([risk] * (5 + SIGNAL_DELAY_S) + [LOW_PERFUSION] * (61 - SIGNAL_DELAY_S), settings)
    assert codes.SPO2_LOST in dict(alarms.active(state))


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
    *_, state = stepped([{"spo2_tenths": 860}] * seconds_low + [then] * (16 - seconds_low), DEFAULT)
    assert dict(alarms.active(state))[codes.HYPOXAEMIA] == codes.PRIORITY_HIGH
