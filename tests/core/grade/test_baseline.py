"""The wearer's own baseline: the mean of what was learnt, one sample a minute, to the hundredth."""

from crs_core.grade import baseline

READY = 360
SPAN = 1440


def learnt(values_cc: list[int], step_ms: int = 60_000) -> list:
    state: list = [0, 0, None]
    for index, value in enumerate(values_cc):
        baseline.learn(state, 0, value, index * step_ms, SPAN)
    return state


def test_there_is_no_baseline_before_enough_minutes() -> None:
    assert baseline.value_cc(learnt([3650] * (READY - 1)), 0, READY) is None
    assert baseline.value_cc(learnt([3650] * READY), 0, READY) == 3650


def test_it_is_the_mean_of_what_was_learnt() -> None:
    values = [3600 + n % 101 for n in range(1010)]
    assert baseline.value_cc(learnt(values), 0, READY) == 3650


def test_falling_values_are_averaged_like_rising_ones() -> None:
    """Rounding to one side only would let the mean drift."""
    up = learnt([3600, 3701] * 500)
    down = learnt([3701, 3600] * 500)
    assert abs(up[0] - 3650.5 * 1024) < 1024
    assert abs(down[0] - 3650.5 * 1024) < 1024
    assert abs((up[0] + down[0]) / 2 - 3650.5 * 1024) < 256


def test_only_one_sample_a_minute_counts() -> None:
    assert learnt([3650] * 361, step_ms=1000)[1] == 7


def test_it_forgets_slowly() -> None:
    state = learnt([3600] * 3000)
    for minute in range(1440):
        baseline.learn(state, 0, 3700, (3000 + minute) * 60_000, SPAN)
    assert 3660 <= (baseline.value_cc(state, 0, READY) or 0) <= 3666


def test_forgetting_leaves_nothing() -> None:
    state = learnt([3650] * 400)
    baseline.forget(state, 0)
    assert state == [0, 0, None]


def test_it_comes_as_close_from_below_as_from_above() -> None:
    for start_cc in (3600, 3700):
        state = learnt([start_cc] * 3000 + [3650] * 20_000)
        assert abs(state[0] - 3650 * 1024) <= 768
