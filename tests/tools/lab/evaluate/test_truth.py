"""What counts as a fever, as brief and as false, on hand-made series."""

import pytest
from crs_core import codes

from tests.tools.lab.evaluate.series import MIN_S, body, fill
from tools.lab.evaluate import truth
from tools.lab.evaluate.truth import BRIEF, FALSE, TRUE, Span

HOUR_S = 3600


def with_fever(minutes: int, oral_cc: int = 3800) -> truth.Truth:
    """Four hours with one fever that begins at 2 h."""
    one = body(4)
    fill(one.oral_cc, 2 * HOUR_S, 2 * HOUR_S + minutes * MIN_S, oral_cc)
    return truth.of(one)


def test_thirty_one_minutes_are_a_fever() -> None:
    assert with_fever(31).fevers == [Span(7200, 7200 + 31 * 60)]
    assert with_fever(31).brief_fevers == []


def test_thirty_minutes_are_a_fever() -> None:
    assert len(with_fever(30).fevers) == 1


def test_twenty_nine_minutes_are_true_but_brief() -> None:
    assert with_fever(29).fevers == []
    assert len(with_fever(29).brief_fevers) == 1


def test_one_hundredth_below_is_no_fever() -> None:
    found = with_fever(60, 3799)
    assert found.fevers == found.brief_fevers == []


def test_a_fever_that_the_series_cuts_off_counts_with_what_was_seen() -> None:
    one = body(1)
    fill(one.oral_cc, 1800, 3600, 3850)
    assert truth.of(one).fevers == [Span(1800, 3600)]


@pytest.mark.parametrize("alarm", [codes.FEVER, codes.POSSIBLE_FEVER])
@pytest.mark.parametrize(
    ("start_s", "said"),
    [
        (7200 - 610, FALSE),
        (7200 - 600, TRUE),
        (7800, TRUE),
        (7200 + 40 * 60 + 600, TRUE),
        (7200 + 40 * 60 + 610, FALSE),
    ],
)
def test_an_alarm_is_true_within_ten_minutes_of_a_fever(alarm: int, start_s: int, said: str) -> None:
    assert truth.verdict(with_fever(40), alarm, codes.PRIORITY_MEDIUM, start_s) == said


def test_an_alarm_at_a_brief_fever_is_counted_apart() -> None:
    assert truth.verdict(with_fever(10), codes.FEVER, codes.PRIORITY_MEDIUM, 7500) == BRIEF


@pytest.mark.parametrize(
    ("tenths", "seconds", "priority", "said"),
    [
        (899, 300, codes.PRIORITY_HIGH, TRUE),
        (899, 290, codes.PRIORITY_HIGH, BRIEF),
        (900, 900, codes.PRIORITY_HIGH, FALSE),
        (919, 900, codes.PRIORITY_MEDIUM, TRUE),
        (920, 900, codes.PRIORITY_MEDIUM, FALSE),
    ],
)
def test_hypoxaemia_claims_a_true_saturation_below_its_limit(
    tenths: int, seconds: int, priority: int, said: str
) -> None:
    one = body(2)
    fill(one.spo2_tenths, 3600, 3600 + seconds, tenths)
    assert truth.verdict(truth.of(one), codes.HYPOXAEMIA, priority, 3700) == said


def test_the_pattern_needs_two_at_once() -> None:
    one = body(3)
    fill(one.oral_cc, 3600, 7200, 3900)
    assert truth.verdict(truth.of(one), codes.LIFE_THREATENING, codes.PRIORITY_HIGH, 5000) == FALSE
    fill(one.hr_bpm, 3600, 7200, 120)
    assert truth.verdict(truth.of(one), codes.LIFE_THREATENING, codes.PRIORITY_HIGH, 5000) == FALSE
    fill(one.hr_bpm, 3600, 7200, 121)
    assert truth.verdict(truth.of(one), codes.LIFE_THREATENING, codes.PRIORITY_HIGH, 5000) == TRUE


def test_a_lost_pulse_is_never_true_here() -> None:
    assert truth.verdict(with_fever(60), codes.PULSE_LOST, codes.PRIORITY_HIGH, 7500) == FALSE
