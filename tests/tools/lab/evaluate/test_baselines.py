"""What people would find without the rules, on hand-made series."""

from random import Random

from crs_core import units

from tests.tools.lab.evaluate.series import body, fill, worn
from tools.lab.evaluate import baselines, prompts
from tools.lab.evaluate.baselines import CHECKS
from tools.lab.evaluate.machine import Alarm
from tools.lab.evaluate.truth import Span

HOUR_S = 3600
POSSIBLE = 2


def hot(begin_h: float, end_h: float, oral_cc: int = 3900) -> list[dict[str, list[float]]]:
    """Hours of the checks that read a fever, by schedule, over one day with one fever."""
    one = body(24)
    fill(one.oral_cc, int(begin_h * HOUR_S), int(end_h * HOUR_S), oral_cc)
    return {
        name: [s / HOUR_S for s in baselines.checks(Random(1), one, hours)] for name, hours in CHECKS.items()
    }


def test_checks_by_the_clock_see_what_is_there_at_their_hours() -> None:
    found = hot(9, 15)
    assert found["checks every 4 h"] == [10, 14]
    assert found["checks every 8 h"] == [14]
    assert found["checks every 4 h, 07-22 h only"] == [11]


def test_a_fever_between_two_checks_is_not_seen() -> None:
    assert hot(10.5, 10.9) == {name: [] for name in CHECKS}


def test_nobody_checks_at_night_by_day_only() -> None:
    found = hot(0, 6.5)
    assert found["checks every 4 h"] == [2, 6]
    assert found["checks every 4 h, 07-22 h only"] == []


def test_a_check_reads_the_mouth_with_a_thermometers_error() -> None:
    one = body(24, 3800)
    rng = Random(3)
    read = [baselines.oral_reading(rng, one, 3600) for _ in range(400)]
    assert all(cc is not None and cc % 10 == 0 for cc in read)
    assert {3790, 3800, 3810} <= set(read)
    assert 3795 < sum(cc for cc in read if cc) / 400 < 3805


def test_there_is_no_check_after_the_series() -> None:
    assert baselines.oral_reading(Random(1), body(1), 3600) is None


def test_the_raw_threshold_takes_every_usable_sample() -> None:
    one = worn(1)
    fill(one.temp_cc, 600, 620, 3800)
    fill(one.temp_cc, 1000, 1010, 3799)
    fill(one.temp_cc, 2000, 2100, 3900)
    fill(one.temp_state, 2040, 2060, units.TEMP_SETTLING)
    assert baselines.raw_threshold(one) == [Span(600, 620), Span(2000, 2040), Span(2060, 2100)]


def test_a_raw_crossing_at_the_end_counts() -> None:
    one = worn(1)
    fill(one.temp_cc, 3500, 3600, 3800)
    assert baselines.raw_threshold(one) == [Span(3500, 3600)]


def test_a_prompt_is_answered_once_within_fifteen_minutes() -> None:
    alarms = [Alarm(POSSIBLE, 2, 3600, 9 * HOUR_S), Alarm(1, 2, 5000, 6000)]
    taken = prompts.answers(Random(1), body(12), alarms)
    assert len(taken) == 1
    assert 3600 + 120 <= taken[0][0] <= 3600 + 900


def test_a_repeated_reading_stops_with_the_alarm_or_at_a_fever() -> None:
    alarms = [Alarm(POSSIBLE, 2, 3600, 3600 + 5 * HOUR_S)]
    one = body(12)
    assert len(prompts.answers(Random(1), one, alarms, 2 * HOUR_S)) == 3
    fill(one.oral_cc, 3 * HOUR_S, 12 * HOUR_S, 3900)
    taken = prompts.answers(Random(1), one, alarms, 2 * HOUR_S)
    assert len(taken) == 2
    assert prompts.met(taken) == [taken[1][0]]


def test_a_reading_below_is_not_met() -> None:
    assert prompts.met([(10, 3790), (20, 3800)]) == [20]
