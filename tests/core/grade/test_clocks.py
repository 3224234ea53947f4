"""The two clocks of conditions, to the millisecond: when they raise, what holds them back, and when they end."""

import pytest
from crs_core.grade import hold

DELAY_MS, RESET_MS, END_MS = 10_000, 3_000, 5_000


def lived(verdicts: list[tuple[int, int, int]], clock: list | None = None) -> tuple[list[bool], list]:
    """What `hold` said at each (verdict, now_ms, dt_ms), and the clock's three slots; those beside it stay."""
    s = ["before", *(clock or [None, 0, 0]), "after"]
    said = [hold.hold(s, 1, verdict, now, dt, DELAY_MS, RESET_MS, END_MS) for verdict, now, dt in verdicts]
    assert (s[0], s[4]) == ("before", "after")
    return said, s[1:4]


def test_it_raises_when_the_delay_has_passed_since_the_first_sample_and_not_before() -> None:
    assert lived([(1, 1_000, 1_000), (1, 10_999, 1_000)]) == ([False, False], [1_000, 0, 0])
    assert lived([(1, 1_000, 1_000), (1, 11_000, 1_000)]) == ([False, True], [1_000, 0, 1])


def test_a_sample_that_says_nothing_starts_nothing_and_stops_nothing() -> None:
    assert lived([(-1, 1_000, 1_000)]) == ([False], [None, 0, 0])
    assert lived([(0, 1_000, 1_000)]) == ([False], [None, 0, 0])
    assert lived([(1, 0, 0), (-1, 9_999, 5_000), (-1, 10_000, 5_000)])[0] == [False, False, True]
    assert lived([(-1, 90_000, 5_000)], [0, 4, 1]) == ([True], [0, 4, 1])


def test_samples_against_it_add_up_to_the_reset_and_no_less() -> None:
    assert lived([(1, 0, 0), (0, 2_000, 2_000), (0, 2_900, 900)])[1] == [0, 29, 0]
    assert lived([(1, 0, 0), (0, 2_000, 2_000), (0, 3_000, 1_000)])[1] == [None, 0, 0]


def test_a_sample_for_it_forgets_those_against_it() -> None:
    assert lived([(1, 0, 0), (0, 2_900, 2_900), (1, 3_900, 1_000)])[1] == [0, 0, 0]


def test_nothing_is_raised_while_samples_against_it_add_up() -> None:
    said, clock = lived([(1, 0, 0), (0, 9_500, 1_000), (-1, 12_000, 1_000), (1, 12_100, 100)])
    assert said == [False, False, False, True]
    assert clock == [0, 0, 1]


def test_once_raised_it_ends_after_the_end_time_and_not_after_the_shorter_reset() -> None:
    assert lived([(0, 20_000, 4_900)], [0, 0, 1]) == ([True], [0, 49, 1])
    assert lived([(0, 20_000, 4_900), (0, 20_100, 100)], [0, 0, 1]) == ([True, False], [None, 0, 0])


def test_time_against_it_fits_sixteen_bits_however_long_the_end_is() -> None:
    s: list = [0, 0xFFFE, 1]
    assert hold.hold(s, 0, 0, 1, 100, 0, 0, 10**9)
    assert s == [0, 0xFFFF, 1]
    assert hold.hold(s, 0, 0, 1, 500, 0, 0, 10**9)
    assert s == [0, 0xFFFF, 1]


def collected(steps: list[tuple[int, int]], level: int = 0, raised: int = 0, back_ms: int = 5_000) -> tuple:
    s = ["before", None, level, raised, "after"]
    said = [hold.collect(s, 1, verdict, dt_ms, DELAY_MS, back_ms) for verdict, dt_ms in steps]
    assert (s[0], s[1], s[4]) == ("before", None, "after")
    return said, s[2], s[3]


def test_a_collecting_clock_raises_when_it_is_full_and_holds_no_more() -> None:
    assert collected([(1, 9_999)]) == ([False], 9_999, 0)
    assert collected([(1, 9_999), (1, 1)]) == ([False, True], 10_000, 1)
    assert collected([(1, 9_999), (1, 5_000)]) == ([False, True], 10_000, 1)


def test_a_collecting_clock_neither_fills_nor_drains_by_what_says_nothing() -> None:
    assert collected([(-1, 5_000)], 4_000) == ([False], 4_000, 0)
    assert collected([(-1, 5_000)], 10_000, 1) == ([True], 10_000, 1)
    assert collected([(0, 5_000)]) == ([False], 0, 0)


def test_a_full_clock_drains_within_its_time_and_ends_empty() -> None:
    assert collected([(0, 1_000)], 10_000, 1) == ([True], 8_000, 1)
    assert collected([(0, 1_000)] * 4, 10_000, 1) == ([True] * 4, 2_000, 1)
    assert collected([(0, 1_000)] * 5, 10_000, 1) == ([True] * 4 + [False], 0, 0)
    assert collected([(0, 1_000)], 1_500, 1) == ([False], 0, 0)


def test_a_stall_counts_as_two_seconds_of_recovery_at_most() -> None:
    assert collected([(0, 5_000)], 10_000, 1) == ([True], 6_000, 1)
    assert collected([(0, 2_000)], 10_000, 1) == ([True], 6_000, 1)


def test_without_a_drain_time_one_sample_against_it_empties_it() -> None:
    assert collected([(0, 1)], 10_000, 1, back_ms=0) == ([False], 0, 0)


@pytest.mark.parametrize("clock", [[1, 2, 1], [None, 5, 0]])
def test_a_reset_clock_is_a_new_one(clock: list) -> None:
    s = ["before", *clock, "after"]
    hold.reset(s, 1)
    assert s == ["before", None, 0, 0, "after"]


def test_a_clock_with_a_millisecond_left_is_not_empty() -> None:
    s = [None, 2, 1]
    assert hold.collect(s, 0, 0, 1, 1_000, 1_000)
    assert s == [None, 1, 1]
    assert not hold.collect(s, 0, 0, 1, 1_000, 1_000)
