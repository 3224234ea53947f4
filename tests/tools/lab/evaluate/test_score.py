"""Scoring of hand-made courses against hand-made truth, and the rows that come of it."""

from math import inf

import pytest
from crs_core import codes, units

from tests.tools.lab.evaluate.series import fill, patient, take_off
from tools.lab.evaluate import report, score, truth
from tools.lab.evaluate.illness import DAY_S
from tools.lab.evaluate.machine import Alarm, Course
from tools.lab.evaluate.score import AGAIN, ONCE, RAW, SAMPLE, Outcome
from tools.lab.evaluate.truth import Span

HOUR_S = 3600
MEDIUM, HIGH = codes.PRIORITY_MEDIUM, codes.PRIORITY_HIGH


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (Span(8000, 9000), True),
        (Span(0, 7200 - 601), False),
        (Span(0, 7200 - 600), True),
        (Span(10799, 10799), True),
        (Span(10800, 20000), False),
    ],
)
def test_found_is_told_from_ten_minutes_before_to_the_end(told: Span, found: bool) -> None:
    assert score.is_found(Span(7200, 10800), [told]) is found


def test_first_told_counts_from_the_crossing() -> None:
    fever = Span(7200, 10800)
    assert score.first_told(fever, 20000, [Span(15000, 15000), Span(9000, 9500)]) == 1800
    assert score.first_told(fever, 20000, [Span(100, 7300)]) == -600
    assert score.first_told(fever, 20000, [Span(100, 200), Span(20000, 20001)]) is None


def scored(alarms: list[Alarm], oral: tuple[int, int, int] = (10 * HOUR_S, 12 * HOUR_S, 3850)) -> Outcome:
    """One day with one fever of the syndrome and these alarms."""
    one = patient(1, syndrome=(9.5 * HOUR_S, DAY_S))
    fill(one.body.oral_cc, *oral)
    return score.score(one, Course(alarms=alarms), seed=1)


def test_without_alarms_nothing_is_found_and_nothing_is_false() -> None:
    out = scored([])
    assert (out.fevers, out.found[RAW], out.found[ONCE], out.onset) == (1, 0, 0, True)
    assert out.onset_s[ONCE] is None
    assert out.onset_s["checks every 4 h"] == 0
    assert not out.verdicts
    assert out.false_by_day == [(0, 0)]
    assert out.missed == {"axilla below 37.50 throughout, rise too small": 1}


def test_a_fever_alarm_finds_it_alone() -> None:
    out = scored([Alarm(codes.FEVER, MEDIUM, 11 * HOUR_S, 12 * HOUR_S)])
    assert out.found[RAW] == out.found[ONCE] == out.onset_found[RAW] == 1
    assert out.onset_s[RAW] == HOUR_S
    assert out.verdicts == {("FEVER", MEDIUM, truth.TRUE): 1}


def test_a_prompt_finds_it_through_the_mouth_only() -> None:
    out = scored([Alarm(codes.POSSIBLE_FEVER, MEDIUM, 11 * HOUR_S, 12 * HOUR_S)])
    assert (out.found[RAW], out.found[ONCE], out.found[AGAIN], out.found[SAMPLE]) == (0, 1, 1, 0)
    assert HOUR_S + 120 <= (out.onset_s[ONCE] or 0) <= HOUR_S + 900
    assert out.told_s == [out.onset_s[ONCE]]


def test_an_early_prompt_needs_its_repetition() -> None:
    out = scored([Alarm(codes.POSSIBLE_FEVER, MEDIUM, 9 * HOUR_S, 13 * HOUR_S)])
    assert (out.found[ONCE], out.found[AGAIN]) == (0, 1)
    assert out.verdicts == {("POSSIBLE_FEVER", MEDIUM, truth.FALSE): 1}
    assert out.early == 1
    assert out.false_by_day == [(1, 0)]


def test_a_false_high_is_counted_on_its_day() -> None:
    out = scored([Alarm(codes.PULSE_LOST, HIGH, HOUR_S, HOUR_S + 60)])
    assert out.false_by_day == [(0, 1)]
    assert out.technical == {("PULSE_LOST", HIGH): 1}


def test_a_lost_signal_is_technical() -> None:
    alarms = [Alarm(codes.SPO2_LOST, MEDIUM, 0, 60), Alarm(codes.NO_DATA, MEDIUM, 0, 60)]
    out = scored(alarms)
    assert out.technical == {("SPO2_LOST", MEDIUM): 1, ("NO_DATA", MEDIUM): 1}
    assert not out.verdicts
    assert out.false_by_day == [(0, 0)]


def test_a_fever_alarm_that_ends_in_a_fever_is_noted() -> None:
    alarms = [Alarm(codes.FEVER, MEDIUM, 10 * HOUR_S, 11 * HOUR_S)]
    assert scored(alarms).ended_early == 1
    assert scored([Alarm(codes.FEVER, MEDIUM, 10 * HOUR_S, 13 * HOUR_S)]).ended_early == 0


def test_a_fever_of_something_else_is_no_onset() -> None:
    one = patient(1)
    fill(one.body.oral_cc, 10 * HOUR_S, 12 * HOUR_S, 3850)
    assert score.score(one, Course(), 1).onset is False


def test_the_onset_is_the_first_fever_of_the_syndrome() -> None:
    one = patient(1, syndrome=(9.5 * HOUR_S, 20 * HOUR_S))
    for begin_h, end_h in ((2, 4), (10, 12), (14, 16), (21, 23)):
        fill(one.body.oral_cc, begin_h * HOUR_S, end_h * HOUR_S, 3850)
    assert score.onset_of(one, truth.of(one.body)) == Span(10 * HOUR_S, 12 * HOUR_S)
    one.ill.syndrome = 5 * HOUR_S, 9 * HOUR_S
    assert score.onset_of(one, truth.of(one.body)) is None
    one.ill.syndrome = 23.5 * HOUR_S, 30 * HOUR_S
    assert score.onset_of(one, truth.of(one.body)) is None


def test_a_probe_that_warms_under_a_fever_is_counted_once() -> None:
    one = patient(1)
    assert score.warming_below(one) == 0
    fill(one.worn.site_cc, 0, DAY_S, 3840)
    take_off(one.worn, HOUR_S, 2 * HOUR_S)
    fill(one.worn.temp_cc, 2 * HOUR_S, 2 * HOUR_S + 300, 3770)
    fill(one.worn.temp_cc, 2 * HOUR_S + 300, DAY_S, 3838)
    assert score.warming_below(one) == 1
    fill(one.worn.temp_state, 2 * HOUR_S, 2 * HOUR_S + 300, units.TEMP_SETTLING)
    assert score.warming_below(one) == 0


def test_why_a_fever_was_missed() -> None:
    one = patient(1)
    fever = Span(10 * HOUR_S, 12 * HOUR_S)
    prompt = Alarm(codes.POSSIBLE_FEVER, MEDIUM, 11 * HOUR_S, 12 * HOUR_S)
    assert "no oral reading" in score.why_missed(fever, one, [prompt])
    fill(one.worn.temp_cc, 11 * HOUR_S, 11 * HOUR_S + 60, 3750)
    assert "too briefly" in score.why_missed(fever, one, [])
    take_off(one.worn, 10 * HOUR_S, 11 * HOUR_S + 60)
    assert "no usable temperature" in score.why_missed(fever, one, [])


def outcome(**values: object) -> Outcome:
    return Outcome(number=0, product="axi-cel", days=1, **values)  # type: ignore[arg-type]


def test_never_found_is_infinitely_late_on_either_side() -> None:
    over = "checks every 4 h"
    outcomes = [
        outcome(onset=True, onset_s={ONCE: 0, over: 7200}),
        outcome(onset=True, onset_s={ONCE: None, over: 7200}),
        outcome(onset=True, onset_s={ONCE: 0, over: None}),
        outcome(onset=True, onset_s={ONCE: None, over: None}),
        outcome(),
    ]
    assert report.leads_h(outcomes, over) == [2.0, -inf, inf]


def test_a_share_comes_with_its_interval() -> None:
    assert report.share(90, 100) == "90.0 % (90 of 100; 95 % interval 82.6-94.5)"
    assert report.share(0, 0) == "none in this run"


def rows_of(*outcomes: Outcome) -> dict[str, tuple[str, str, bool]]:
    return {name: (figure, target, reached) for name, figure, target, reached in report.rows(list(outcomes))}


def test_a_figure_below_its_target_is_short() -> None:
    name = f"fevers >= 30 min found, {ONCE}"
    good, bad = outcome(fevers=20), outcome(fevers=20)
    good.found[ONCE], bad.found[ONCE] = 19, 18
    assert rows_of(good)[name][2] is True
    assert rows_of(bad)[name][2] is False


def test_a_run_without_fevers_reaches_no_target() -> None:
    assert rows_of(outcome())[f"fevers >= 30 min found, {ONCE}"][2] is False


@pytest.mark.parametrize(("count", "reached"), [(1, True), (2, False)])
def test_false_alarms_are_counted_by_patient_day(count: int, reached: bool) -> None:
    one, other = outcome(false_by_day=[(count, 0)]), outcome(false_by_day=[(0, 0)])
    one.verdicts[("POSSIBLE_FEVER", MEDIUM, truth.FALSE)] = count
    found = rows_of(one, other)["false MEDIUM per patient-day"]
    assert found[0].startswith(f"{count / 2:.2f} (POSSIBLE_FEVER {count / 2:.2f};")
    assert found[2] is reached
    assert "has 100 % of them" in found[0]


@pytest.mark.parametrize(
    ("values", "row"),
    [
        ({"better_by_loss": ["x"]}, "states in which a loss looks better than the truth"),
        ({"silent_s": 10}, "hours without data and without an announced gap"),
        ({"warming": 1}, "times a probe put on again counted as settled below a fever"),
    ],
)
def test_one_is_too_many(values: dict[str, object], row: str) -> None:
    assert rows_of(outcome())[row][2] is True
    assert rows_of(outcome(**values))[row][2] is False
