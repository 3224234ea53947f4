"""The rules over hand-made series: what the adapter reports, and that its counters can count."""

from typing import Any

import pytest
from crs_core import codes, units
from crs_core.grade import alarms, rules
from crs_core.grade.assessment import Assessment

from tests.tools.lab.evaluate.series import fill, take_off, worn
from tools.lab.evaluate import machine, own_limits
from tools.lab.evaluate.patient import simulate
from tools.lab.evaluate.worn import NONE

HOUR_S = 3600


def starts(course: machine.Course, alarm: int) -> list[int]:
    return [one.start_s for one in course.alarms if one.alarm == alarm]


def test_a_fever_at_the_axilla_is_told_after_its_delay_and_ends_with_it() -> None:
    one = worn(3)
    fill(one.temp_cc, HOUR_S, 2 * HOUR_S, 3810)
    course = machine.run(one)
    fever = [alarm for alarm in course.alarms if alarm.alarm == codes.FEVER]
    assert len(fever) == 1
    assert 0 <= fever[0].start_s - HOUR_S - rules.DEFAULT.fever_delay_ms // 1000 < 10
    assert abs(fever[0].end_s - 2 * HOUR_S - rules.DEFAULT.fever_end_ms // 1000) < 10
    assert fever[0].name == "FEVER"


def test_without_a_fever_nothing_is_told() -> None:
    course = machine.run(worn(2, 3690))
    assert course.alarms == []
    assert course.unusable_s == course.silent_s == 0


def test_an_alarm_that_still_stands_ends_with_the_series() -> None:
    course = machine.run(worn(1, 3850))
    assert [(one.alarm, one.end_s) for one in course.alarms] == [(codes.FEVER, 3600)]


def test_leaving_steps_out_changes_no_alarm() -> None:
    one = simulate(11, 0, 1).worn
    short, full = machine.run(one), machine.run(one, every_second=True)
    assert full.steps == 86_400
    assert short.steps < full.steps // 2
    assert len(short.alarms) > 10

    def key(alarm: machine.Alarm) -> tuple[int, int]:
        return alarm.alarm, alarm.start_s

    for a, b in zip(sorted(short.alarms, key=key), sorted(full.alarms, key=key), strict=True):
        assert (a.alarm, a.priority, a.end_s) == (b.alarm, b.priority, b.end_s)
        assert 0 <= a.start_s - b.start_s < 10
    assert (short.silent_s, short.better_by_loss) == (full.silent_s, full.better_by_loss)


def test_a_strap_off_is_announced() -> None:
    one = worn(2)
    take_off(one, HOUR_S, HOUR_S + 1200)
    course = machine.run(one)
    assert course.unusable_s == 1200
    assert starts(course, codes.NO_DATA)
    assert course.silent_s == 0
    assert course.better_by_loss == []


def test_a_gap_that_is_told_too_late_is_counted_as_silent() -> None:
    one = worn(2)
    take_off(one, HOUR_S, HOUR_S + 1200)
    late = rules.with_limits(rules.DEFAULT, {"no_data_low_ms": 300_000})
    silent_s = machine.run(one, rule_set=late).silent_s
    assert 200 <= silent_s <= 250


def lose_by_cold(state: list[Any], inputs: alarms.Inputs, now_ms: int, rule_set: rules.Rules) -> Any:
    """A broken rule: what is lost is taken for a cool and quiet wearer."""
    lost = inputs._replace(
        temp_cc=3600 if inputs.temp_state else inputs.temp_cc, temp_state=0, wear=units.WEAR_WORN,
        spo2_tenths=980 if inputs.ppg_state else inputs.spo2_tenths,
        hr_bpm=70 if inputs.ppg_state else inputs.hr_bpm, ppg_state=0,
    )  # fmt: skip
    return alarms.step(state, lost, now_ms, rule_set)


class Broken:
    """The alarms with the broken rule."""

    Inputs = alarms.Inputs
    new_state = staticmethod(alarms.new_state)
    step = staticmethod(lose_by_cold)


def test_an_alarm_that_a_loss_ends_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    one = worn(3, 3850)
    fill(one.spo2_tenths, 1800, HOUR_S, 850)
    take_off(one, HOUR_S, 2 * HOUR_S)
    assert machine.run(one).better_by_loss == []
    monkeypatch.setattr(machine, "alarms", Broken)
    found = machine.run(one).better_by_loss
    assert any("FEVER" in what for what in found)
    assert any("HYPOXAEMIA" in what for what in found)


def pattern_of_heat_and_rate() -> Any:
    one = worn(3, 3950)
    fill(one.hr_bpm, 0, 3 * HOUR_S, 140)
    return one


def test_a_pattern_that_the_other_channel_ends_is_not_the_losss_doing() -> None:
    one = pattern_of_heat_and_rate()
    fill(one.temp_state, HOUR_S, 3 * HOUR_S, units.TEMP_OFF_BODY)
    fill(one.hr_bpm, HOUR_S + 600, 3 * HOUR_S, 80)
    course = machine.run(one)
    ended = [alarm.end_s for alarm in course.alarms if alarm.alarm == codes.LIFE_THREATENING]
    assert len(ended) == 1 and HOUR_S + 600 < ended[0] < HOUR_S + 800
    assert course.better_by_loss == []


def test_a_pattern_that_a_loss_ends_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    one = pattern_of_heat_and_rate()
    fill(one.temp_state, HOUR_S, 3 * HOUR_S, units.TEMP_OFF_BODY)
    assert machine.run(one).better_by_loss == []
    monkeypatch.setattr(machine, "alarms", Broken)
    assert any("LIFE_THREATENING" in what for what in machine.run(one).better_by_loss)
    take_off(one, HOUR_S, 3 * HOUR_S)
    assert any("LIFE_THREATENING" in what for what in machine.run(one).better_by_loss)


def test_values_that_are_not_there_reach_the_rules_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    class Watched(Broken):
        @staticmethod
        def step(state: list[Any], inputs: alarms.Inputs, now_ms: int, rule_set: rules.Rules) -> Any:
            seen.append(inputs)
            return alarms.step(state, inputs, now_ms, rule_set)

    monkeypatch.setattr(machine, "alarms", Watched)
    one = worn(1)
    fill(one.ppg_state, 0, 3600, units.PPG_MOTION)
    fill(one.spo2_tenths, 0, 3600, NONE)
    fill(one.hr_bpm, 0, 3600, NONE)
    machine.run(one)
    assert {(i.spo2_tenths, i.hr_bpm, i.pi_hundredths) for i in seen} == {(None, None, None)}


def assessment(fever: int, lower: int | None, upper: int | None) -> Assessment:
    return Assessment(1, 2019, lower, upper, fever, codes.PROVISIONAL, (), (), 0, 0)


@pytest.mark.parametrize(
    ("before", "after", "lost", "said"),
    [
        ((codes.FEVER_MET, 1, 4), (codes.FEVER_UNKNOWN, None, None), True, ""),
        ((codes.FEVER_MET, 1, 4), (codes.FEVER_UNKNOWN, 0, 4), True, "lower bound fell from 1 to 0"),
        ((codes.FEVER_MET, 1, 4), (codes.FEVER_UNKNOWN, 1, 3), True, "upper bound fell from 4 to 3"),
        ((codes.FEVER_MET, 1, 4), (codes.FEVER_NOT_MET, 1, 4), True, "fever is called not met"),
        ((codes.FEVER_MET, 1, 4), (codes.FEVER_NOT_MET, 0, 4), False, ""),
    ],
)
def test_what_looks_better_by_a_loss(before: tuple, after: tuple, lost: bool, said: str) -> None:
    found = machine.looks_better(assessment(*before), assessment(*after), lost)
    assert found.startswith(said) and bool(found) == bool(said)


@pytest.mark.parametrize(
    ("own", "fast", "slow", "medium"),
    [
        (970, 880, 900, 920),
        (990, 880, 900, 920),
        (950, 860, 880, 900),
        (930, 850, 860, 880),
        (800, 850, 850, 850),
    ],
)
def test_own_limits_follow_the_first_day_and_stay_between_85_and_the_default(
    own: int, fast: int, slow: int, medium: int
) -> None:
    one = worn(2, 3690)
    for i in range(len(one.spo2_tenths)):
        one.spo2_tenths[i] = own if i < 8640 else 870
    made = own_limits.signed(one, rules.DEFAULT)
    assert (made.spo2_fast_tenths, made.spo2_slow_tenths, made.spo2_medium_tenths) == (fast, slow, medium)
    for i in range(len(one.spo2_tenths)):
        one.spo2_tenths[i] = NONE
    assert own_limits.signed(one, rules.DEFAULT) == rules.DEFAULT
