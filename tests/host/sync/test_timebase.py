"""Wall time of records: the true time always lies within what is stated."""

import random

import pytest

from host_agent.store.time_marks import Extent, Mark
from host_agent.sync.timebase import Timebase

T0 = 1_800_000_000_000
HOUR = 3_600_000


def test_at_a_mark_the_bound_is_the_mark_s() -> None:
    base = Timebase([Mark(1, 5000, T0, 40)])
    assert base.resolve(1, 5000) == (T0, 40, "mark")


@pytest.mark.parametrize("away_ms", [HOUR, -HOUR])
def test_away_from_a_mark_the_bound_grows_by_100_ppm_both_ways(away_ms) -> None:
    base = Timebase([Mark(1, 2 * HOUR, T0, 40)])
    assert base.resolve(1, 2 * HOUR + away_ms) == (T0 + away_ms, 400, "mark")


def test_two_marks_are_better_than_either() -> None:
    marks = [Mark(1, 0, T0, 1000), Mark(1, 10_000, T0 + 10_900, 1000)]
    both = Timebase(marks).resolve(1, 0)
    assert both is not None and both.bound_ms < 1000 and both.utc_ms > T0


def test_marks_that_cannot_both_be_true_are_told_with_the_width_that_holds_both() -> None:
    base = Timebase([Mark(1, 0, T0, 10), Mark(1, 0, T0 + HOUR, 10)])
    found = base.resolve(1, 0)
    assert found is not None and found.how == "conflict" and found.utc_ms - found.bound_ms <= T0 + 10
    assert found.utc_ms + found.bound_ms >= T0 + HOUR - 10


def test_a_boot_without_a_mark_lies_between_its_neighbours() -> None:
    base = Timebase(
        [Mark(1, 0, T0, 0), Mark(3, 0, T0 + 10 * HOUR, 0)],
        [Extent(1, HOUR, 0), Extent(2, 2 * HOUR, T0 + 20 * HOUR), Extent(3, HOUR, T0 + 20 * HOUR)],
    )
    found = base.resolve(2, HOUR)
    assert found is not None and found.how == "bracket"
    # not before 1 h of boot 1 and 1 h of its own; not after boot 3 less its own last hour
    assert abs(found.utc_ms - found.bound_ms - (T0 + 2 * HOUR)) <= 800
    assert abs(found.utc_ms + found.bound_ms - (T0 + 9 * HOUR)) <= 800


def test_the_newest_boot_without_a_mark_ends_where_it_was_received() -> None:
    base = Timebase([Mark(1, 0, T0, 0)], [Extent(1, HOUR, T0 + HOUR), Extent(2, HOUR, T0 + 5 * HOUR)])
    found = base.resolve(2, HOUR)
    assert found is not None and found.utc_ms + found.bound_ms == T0 + 5 * HOUR
    # an hour before its last record it was at least an hour (less the drift) before that
    first = base.resolve(2, 0)
    assert first is not None and abs(first.utc_ms + first.bound_ms - (T0 + 4 * HOUR + 360)) <= 1


def test_a_fast_crystal_in_a_boot_between_is_allowed_for() -> None:
    """Boot 2 counted 10 h while 3.6 s less passed: what follows may be that much earlier."""
    base = Timebase(
        [Mark(1, 0, T0, 0)],
        [Extent(1, 0, T0), Extent(2, 10 * HOUR, T0 + 10 * HOUR), Extent(3, 0, T0 + 20 * HOUR)],
    )
    found = base.resolve(3, 0)
    assert found is not None and found.utc_ms - found.bound_ms <= T0 + 10 * HOUR - 3600


def test_without_any_lower_bound_there_is_no_time() -> None:
    base = Timebase([], [Extent(1, HOUR, T0)])
    assert base.resolve(1, 5) is None


@pytest.mark.parametrize("seed", range(200))
def test_the_truth_is_always_inside(seed) -> None:
    """Boots with drifting crystals, honest marks in some of them, records everywhere."""
    rng = random.Random(seed)
    utc, marks, extents, truth = float(T0), [], [], []
    for boot in range(1, rng.randrange(2, 7)):
        utc += rng.choice([0, 0, rng.randrange(5 * HOUR)])
        rate = 1 + rng.uniform(-99e-6, 99e-6)  # device ms per true ms
        length = rng.randrange(1000, 20 * HOUR)
        for _ in range(rng.choice([0, 0, 1, 2, 5])):
            t_ms = rng.randrange(length)
            error = rng.choice([0, rng.randrange(2000)])
            told = utc + t_ms / rate + rng.uniform(-error, error)
            marks.append(Mark(boot, t_ms, round(told), error + 1))
        moments = [rng.randrange(length) for _ in range(5)]
        extents.append(Extent(boot, max(moments), round(utc + length / rate) + 10))
        truth += [(boot, t_ms, utc + t_ms / rate) for t_ms in moments]
        utc += length / rate
    base = Timebase(marks, extents)
    for boot, t_ms, true_utc in truth:
        found = base.resolve(boot, t_ms)
        if found is None:
            assert not [m for m in marks if m.boot <= boot], "a mark before it gives a lower bound"
            continue
        assert found.how != "conflict"
        assert abs(found.utc_ms - true_utc) <= found.bound_ms + 2, (boot, t_ms, found)
