"""Curves and offsets out of pairs whose truth is known, and pairs that hold none."""

import random

import pytest
from crs_core.calibration import wrong_curve
from crs_core.spo2_curve import AN6845, spo2_tenths

from tools.board.calibrate.fit import fit_spo2, fit_temperature
from tools.board.calibrate.pairs import CalibrateError, Pair

TRUTH = (12000, -330000, 1118000)
BENT = (60000, -390000, 1130000)


def pairs_of(curve: tuple[int, int, int], count: int = 120, low: float = 0.4, high: float = 1.25, scatter: float = 1.0,
             seed: int = 1) -> list[Pair]:  # fmt: skip
    """Pairs of a finger with this curve, and a reference that scatters."""
    chance = random.Random(seed)
    ratios = [low + (high - low) * i / (count - 1) for i in range(count)]
    spo2 = [spo2_tenths(curve, round(1000 * r)) / 10 + chance.gauss(0, scatter) for r in ratios]
    return [Pair(i, *pair) for i, pair in enumerate(zip(ratios, spo2, strict=True), 2)]


def farthest(curve: tuple[int, int, int], truth: tuple[int, int, int]) -> int:
    """Tenths of a percent between two curves, where AN6845 goes from 70 to 98 %."""
    return max(abs(spo2_tenths(curve, r) - spo2_tenths(truth, r)) for r in range(430, 1310, 10))


@pytest.mark.parametrize("truth", [TRUTH, BENT, AN6845])
@pytest.mark.parametrize("seed", range(5))
def test_another_curve_is_found_again(truth, seed):
    assert wrong_curve(truth) == ""
    fit = fit_spo2(pairs_of(truth, scatter=0.5, seed=seed))
    assert fit.degree == 2 and fit.outliers == []
    assert farthest(fit.curve, truth) <= 6, "three standard errors at the ends of 120 pairs"
    assert 0.4 <= fit.arms <= 0.6


def test_without_scatter_it_is_the_curve_itself():
    exact = [pair._replace(reference=sum(c * pair.device**k for k, c in enumerate((111.8, -33.0, 1.2))))
             for pair in pairs_of(TRUTH)]  # fmt: skip
    assert fit_spo2(exact).curve == TRUTH
    assert fit_spo2(exact).arms < 1e-6 < fit_spo2(exact).arms_before


def test_arms_before_is_that_of_the_curve_before():
    wide = pairs_of(TRUTH, scatter=0)
    by_hand = [spo2_tenths(AN6845, round(1000 * p.device)) / 10 - p.reference for p in wide]
    assert fit_spo2(wide).arms_before == pytest.approx((sum(e * e for e in by_hand) / len(by_hand)) ** 0.5)
    assert fit_spo2(wide, TRUTH).arms_before < 0.01


def test_few_pairs_or_a_narrow_range_give_a_line():
    assert fit_spo2(pairs_of(TRUTH, count=39)).degree == 1
    assert fit_spo2(pairs_of(TRUTH, low=0.4, high=0.9)).degree == 1
    assert fit_spo2(pairs_of(TRUTH, count=39)).curve[0] == 0


def test_leave_one_out_is_what_leaving_one_out_gives():
    pairs = pairs_of(TRUTH, count=45)
    errors = []
    for i, left in enumerate(pairs):
        curve = fit_spo2(pairs[:i] + pairs[i + 1 :]).curve
        errors.append(sum(c / 10000 * left.device**k for k, c in enumerate(reversed(curve))) - left.reference)
    assert fit_spo2(pairs).arms == pytest.approx((sum(e * e for e in errors) / len(errors)) ** 0.5, abs=1e-3)


def test_outliers_are_named_left_out_of_the_fit_and_counted_in_the_figure():
    pairs = pairs_of(TRUTH)
    for i in (3, 50, 110):
        pairs[i] = pairs[i]._replace(reference=pairs[i].reference - 15)
    fit = fit_spo2(pairs)
    assert [one.line for one in fit.outliers] == [5, 52, 112]
    assert farthest(fit.curve, TRUTH) <= 10
    assert fit.arms > (3 * 14**2 / 120) ** 0.5, "no pair is left out of the figure"


def test_what_no_curve_can_be_taken_from_is_refused_by_name():
    many = pairs_of(TRUTH)
    for i in range(0, 120, 7):
        many[i] = many[i]._replace(reference=many[i].reference - 15)
    flat = [Pair(i, 0.6, 75 + i / 5) for i in range(100)]
    mirrored = [pair._replace(reference=175 - pair.reference) for pair in pairs_of(TRUTH)]
    for pairs, says in (
        (pairs_of(TRUTH, count=19), "19 pairs are too few: at least 20"),
        (pairs_of(TRUTH, low=0.4, high=0.6, scatter=0.2), "at least 10 points"),
        (many, "18 of 120 pairs lie far"),
        (flat, "R hardly changes"),
        (mirrored, "refused: SpO2 does not fall"),
        (pairs_of((0, -170000, 1040000)), "refused: SpO2 more than 8 % from AN6845"),
        (pairs_of(TRUTH, scatter=5.0), "ARMS .* at most 4.00"),
    ):
        with pytest.raises(CalibrateError, match=says):
            fit_spo2(pairs)


def test_twenty_pairs_over_ten_points_are_enough():
    assert fit_spo2(pairs_of(TRUTH, count=20, scatter=0.5)).pairs == 20


def temperatures(offset_c: float, scatter_c: float = 0.03, count: int = 24) -> list[Pair]:
    chance = random.Random(4)
    device_c = [36 + i / 12 for i in range(count)]
    return [Pair(i, c, c + offset_c + chance.gauss(0, scatter_c)) for i, c in enumerate(device_c, 2)]


@pytest.mark.parametrize("offset_c", [-0.45, -0.05, 0.0, 0.2])
def test_an_offset_is_found_again_and_one_wild_pair_does_not_move_it(offset_c):
    fit = fit_temperature(temperatures(offset_c))
    assert abs(fit.offset_c - offset_c) <= 0.02 and 0.02 <= fit.sd_c <= 0.04
    pairs = temperatures(offset_c, scatter_c=0.01)
    pairs[7] = pairs[7]._replace(reference=pairs[7].reference + 0.3)
    fit = fit_temperature(pairs)
    assert abs(fit.offset_c - offset_c) <= 0.01 and fit.worst.line == 9 and fit.sd_c > 0.05


def test_what_no_offset_can_be_taken_from_is_refused_by_name():
    wild = temperatures(0.1, scatter_c=0.01)
    wild[7] = wild[7]._replace(reference=wild[7].reference + 1)
    for pairs, says in (
        (temperatures(0.1, count=4), "4 pairs are too few"),
        (temperatures(0.1, scatter_c=0.15), "scatter by 0.1"),
        (wild, "Farthest: line 9"),
        (temperatures(0.55), r"offset is \+0.5"),
        (temperatures(-0.55), "offset is -0.5"),
    ):
        with pytest.raises(CalibrateError, match=says):
            fit_temperature(pairs)
