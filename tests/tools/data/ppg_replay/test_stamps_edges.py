"""Each limit of the comparison of time stamps, on both sides; at 64 Hz every time is an exact binary fraction."""

from collections.abc import Iterable
from fractions import Fraction

import pytest

from tools.data.ppg_replay.stamps import BackwardsError, Stamps

RATE = 64
FINE_S = 1 / 1024  # a sixteenth of a sample
HAIR = 1 / 4096  # of a sample
# step of the stamps in samples, by how many of them a stamp may then be late
LATE = [(1 / 16, 0.75), (0.5, 0.75), (0.515625, 1.0078125), (0.75, 1.125), (1.0, 1.25), (1.046875, 1.2734375)]


def lost(stamps: Iterable[float], step: float = 1 / 16) -> list[int]:
    """What is lost before each stamp; stamps and step in samples."""
    made = Stamps(Fraction(RATE))
    return [made.lost_before(stamp / RATE, step / RATE) for stamp in stamps]


@pytest.mark.parametrize(("step", "late"), LATE)
def test_a_stamp_may_be_late_by_its_jitter_and_no_more(step: float, late: float) -> None:
    before = list(range(9))
    assert lost([*before, 9 + late - HAIR], step) == [0] * 10
    assert lost([*before, 9 + late], step) == [0] * 9 + [1]


@pytest.mark.parametrize(("step", "late"), LATE)
def test_a_stamp_may_be_early_by_its_jitter_and_no_more(step: float, late: float) -> None:
    # the time that is expected follows a late stamp by a fiftieth, so the early one comes while stamps are in time
    if late > 1:
        with pytest.raises(BackwardsError):
            lost([*range(9), 9 - 1 - HAIR], step)
        return
    assert lost([*range(9), 9 - late], step) == [0] * 10
    with pytest.raises(ValueError, match="samples a second, --fs says 64"):
        lost([*range(9), 9 - late - HAIR], step)


@pytest.mark.parametrize("swing", [(0, 0.7, 0, -0.7), (0, 0.4, -0.4, 0.4)])
def test_stamps_that_swing_by_almost_the_jitter_cost_nothing(swing: tuple[float, ...]) -> None:
    swung = [n + swing[n % 4] for n in range(600)]
    assert sum(lost(swung)) == 0


@pytest.mark.parametrize("missing", [1, 2, 3, 5, 64, 3000])
def test_a_hole_is_counted_once_and_to_the_sample(missing: int) -> None:
    stamps = [*range(20), *range(20 + missing, 60 + missing)]
    assert lost(stamps) == [0] * 20 + [missing] + [0] * 39


@pytest.mark.parametrize("permille", [0, 5, 9.8, -5, -9.8])
def test_a_rate_that_agrees_to_a_hundredth_loses_nothing(permille: float) -> None:
    assert sum(lost([n * (1 + permille / 1000) for n in range(200 * RATE)])) == 0


@pytest.mark.parametrize("permille", [10.8, 15, -10.8, -15])
def test_a_rate_that_is_off_by_more_is_refused(permille: float) -> None:
    with pytest.raises(ValueError, match="Correct --fs"):
        lost(n * (1 + permille / 1000) for n in range(200 * RATE))


def test_more_holes_than_samples_are_another_rate_and_a_hole_in_two_is_none() -> None:
    with pytest.raises(ValueError, match="--fs says 64"):
        lost(range(0, 20, 2))
    assert lost(range(0, 18, 2)) == [0] + [1] * 8
    assert sum(lost(n + (n + 1) // 2 for n in range(200))) == 100


def test_a_hole_of_an_hour_is_the_longest() -> None:
    assert lost([0, 3600 * RATE])[1] == 3600 * RATE - 1
    with pytest.raises(ValueError, match="a hole of 36"):
        lost([0, 3600 * RATE + 1])


@pytest.mark.parametrize(
    ("step", "may_repeat"), [(1 / 16, False), (0.9375, False), (0.953125, True), (1.0, True)]
)
def test_a_stamp_may_be_repeated_only_where_its_step_is_about_a_sample(step: float, may_repeat: bool) -> None:
    stamps = [0, 1, 2, 3, 3, 5]
    if may_repeat:
        assert lost(stamps, step) == [0] * 6
    else:
        with pytest.raises(BackwardsError):
            lost(stamps, step)


def second(rows: int, at_s: int) -> list[float]:
    return [at_s * RATE] * rows


@pytest.mark.parametrize(("rows", "missing"), [(66, 0), (64, 0), (63, 0), (62, 2), (58, 6)])
def test_stamps_of_whole_seconds_are_counted_by_their_rows(rows: int, missing: int) -> None:
    whole = [stamp for at_s in range(1, 11) for stamp in second(64, at_s)]
    stamps = second(10, 0) + whole + second(rows, 11) + second(1, 12)
    assert lost(stamps, RATE)[-1] == missing


def test_too_many_rows_in_a_second_are_another_rate() -> None:
    assert sum(lost(second(66, 0), RATE)) == 0
    with pytest.raises(ValueError, match="--fs says 64"):
        lost(second(67, 0), RATE)


@pytest.mark.parametrize("seconds", [2, 3, 10])
def test_a_whole_second_without_rows_is_a_hole(seconds: int) -> None:
    stamps = second(64, 0) + second(64, 1) + second(64, 1 + seconds) + second(64, 2 + seconds)
    assert [one for one in lost(stamps, RATE) if one] == [(seconds - 1) * RATE]


@pytest.mark.parametrize(("step", "is_coarse"), [(1.046875, False), (1.0625, True)])
def test_a_step_of_more_than_a_sample_is_counted_by_rows(step: float, is_coarse: bool) -> None:
    stamps = [
        *range(9),
        8 + 2.5 * step,
    ]  # two and a half steps are a hole by the ticks, by the times of 2.6 samples
    assert lost(stamps, step)[-1] == (round(1.5 * step) if is_coarse else round(2.5 * step - 1))
