"""Fit a curve or an offset to pairs. The figures count every pair, outliers too.

Least squares by the normal equations, three coefficients at most. A first fit of least absolute deviations (iteratively
reweighted) finds the outliers; the second fit leaves them out. ARMS is over all pairs, each predicted by the fit
without it, so neither outliers left out nor extra coefficients make it look better.
Numbers marked † are proposals that the person responsible for the device must sign.
"""

import math
import statistics
from typing import NamedTuple

from crs_core.calibration import (
    SPO2_ARMS_MAX,
    SPO2_PAIRS_MIN,
    TEMP_MAX_CC,
    TEMP_PAIRS_MIN,
    TEMP_SD_MAX,
    wrong_curve,
)
from crs_core.spo2_curve import AN6845, spo2_tenths

from tools.board.calibrate.pairs import CalibrateError, Pair

QUADRATIC_PAIRS = 40  # † a parabola needs so many pairs over the next line's range; else a line is fitted
QUADRATIC_SPAN_PCT = 20.0  # †
SPAN_MIN_PCT = 10.0  # † over less, any slope fits the scatter of the reference
OUTLIER_SIGMAS = 4.0  # † by the median deviation
OUTLIER_MIN_PCT = 2.0  # † a pair closer to the first fit is no outlier: no reference is more exact than that
OUTLIERS_MAX_SHARE = 0.1  # † more would mean that the recording went wrong
_ROUNDS = 50

Curve = tuple[int, int, int]


class Spo2Fit(NamedTuple):
    """Curve in 0.0001 %. ARMS in percent over all pairs: `arms_before` of the old curve, `arms` by leave-one-out."""

    curve: Curve
    pairs: int
    degree: int
    outliers: list[Pair]
    arms_before: float
    arms: float
    spo2_range: tuple[float, float]
    ratio_range: tuple[float, float]


class TemperatureFit(NamedTuple):
    """Offset to add to the chip's value and its standard deviation, °C; `worst` is the farthest pair."""

    offset_c: float
    sd_c: float
    pairs: int
    worst: Pair


def arms(errors: list[float]) -> float:
    """Root of the mean square."""
    return math.sqrt(sum(error * error for error in errors) / len(errors))


def fit_spo2(pairs: list[Pair], before: Curve = AN6845) -> Spo2Fit:
    """The curve of these pairs; CalibrateError when none can be fitted."""
    if len(pairs) < SPO2_PAIRS_MIN:
        raise CalibrateError(f"{len(pairs)} pairs are too few: at least {SPO2_PAIRS_MIN}")
    references = [pair.reference for pair in pairs]
    span = max(references) - min(references)
    if span < SPAN_MIN_PCT:
        raise CalibrateError(
            f"the reference covers {min(references):g} to {max(references):g} %: at least {SPAN_MIN_PCT:g} points"
            " are needed"
        )
    degree = 2 if len(pairs) >= QUADRATIC_PAIRS and span >= QUADRATIC_SPAN_PCT else 1
    kept, outliers = _without_outliers(pairs, degree)
    if len(outliers) > OUTLIERS_MAX_SHARE * len(pairs) or len(kept) < SPO2_PAIRS_MIN:
        why = f"{len(outliers)} of {len(pairs)} pairs lie far from the fitted curve: lines {_lines(outliers)}"
        raise CalibrateError(why)
    solved = _least_squares(kept, [1.0] * len(kept), degree)
    c0, c1, c2 = [round(10000 * value) for value in [*solved, 0.0][:3]]
    curve = (c2, c1, c0)
    why = wrong_curve(curve)
    if why:
        raise CalibrateError(f"these pairs give {formula(curve)}, which is refused: {why}")
    errors = [_error(solved, pair) / (1 - _leverage(kept, pair, degree)) for pair in kept]
    after = arms(errors + [_error(solved, pair) for pair in outliers])
    if after * 100 > SPO2_ARMS_MAX:
        raise CalibrateError(f"ARMS {after:.2f} % over all pairs: at most {SPO2_ARMS_MAX / 100:.2f} %")
    old = arms([spo2_tenths(before, round(1000 * pair.device)) / 10 - pair.reference for pair in pairs])
    ratios = [pair.device for pair in pairs]
    spo2_range, ratio_range = (min(references), max(references)), (min(ratios), max(ratios))
    return Spo2Fit(curve, len(pairs), degree, outliers, old, after, spo2_range, ratio_range)


def fit_temperature(pairs: list[Pair]) -> TemperatureFit:
    """The offset is the median difference of these pairs; CalibrateError when they scatter or differ too much."""
    if len(pairs) < TEMP_PAIRS_MIN:
        raise CalibrateError(f"{len(pairs)} pairs are too few: at least {TEMP_PAIRS_MIN}")
    differences = [pair.reference - pair.device for pair in pairs]
    offset_c, sd_c = statistics.median(differences), statistics.stdev(differences)
    worst = max(pairs, key=lambda pair: abs(pair.reference - pair.device - offset_c))
    if round(100 * sd_c) > TEMP_SD_MAX:
        raise CalibrateError(
            f"the pairs scatter by {sd_c:.2f} °C (standard deviation), at most {TEMP_SD_MAX / 100:.2f} °C is accepted."
            f" Let the probe settle and measure again. Farthest: line {worst.line}"
        )
    if abs(round(100 * offset_c)) > TEMP_MAX_CC:
        raise CalibrateError(
            f"the offset is {offset_c:+.2f} °C, at most {TEMP_MAX_CC / 100:.2f} °C is accepted. Check how the probe is"
            " mounted."
        )
    return TemperatureFit(offset_c, sd_c, len(pairs), worst)


def formula(curve: Curve) -> str:
    """A curve in text for people."""
    c2, c1, c0 = (value / 10000 for value in curve)
    return f"SpO2 = {c0:.4f} {c1:+.4f} R {c2:+.4f} R^2"


def deviation(pairs: list[Pair]) -> float:
    """Mean absolute distance from the best line, percent. The lag search minimises it."""
    solved = _least_absolute(pairs, 1)
    return statistics.fmean(abs(_error(solved, pair)) for pair in pairs)


def _without_outliers(pairs: list[Pair], degree: int) -> tuple[list[Pair], list[Pair]]:
    solved = _least_absolute(pairs, degree)
    # 1.4826 times the median deviation is the standard deviation of a normal distribution.
    scatter = 1.4826 * statistics.median(abs(_error(solved, pair)) for pair in pairs)
    limit = max(OUTLIER_MIN_PCT, OUTLIER_SIGMAS * scatter)
    kept = [pair for pair in pairs if abs(_error(solved, pair)) <= limit]
    return kept, [pair for pair in pairs if abs(_error(solved, pair)) > limit]


def _least_absolute(pairs: list[Pair], degree: int) -> list[float]:
    weights = [1.0] * len(pairs)
    solved = _least_squares(pairs, weights, degree)
    for _ in range(_ROUNDS):
        weights = [1 / max(0.1, abs(_error(solved, pair))) for pair in pairs]
        again = _least_squares(pairs, weights, degree)
        if max(abs(a - b) for a, b in zip(solved, again, strict=True)) < 1e-4:
            return again
        solved = again
    return solved


def _error(solved: list[float], pair: Pair) -> float:
    return sum(c * pair.device**power for power, c in enumerate(solved)) - pair.reference


def _least_squares(pairs: list[Pair], weights: list[float], degree: int) -> list[float]:
    """c0, c1 .. of the polynomial."""
    weighted = list(zip(weights, pairs, strict=True))
    right = [sum(w * pair.reference * pair.device**i for w, pair in weighted) for i in range(degree + 1)]
    return _solve(_normal(pairs, weights, degree), right)


def _normal(pairs: list[Pair], weights: list[float], degree: int) -> list[list[float]]:
    size = degree + 1
    weighted = list(zip(weights, pairs, strict=True))
    sums = [sum(w * pair.device**k for w, pair in weighted) for k in range(2 * size - 1)]
    return [[sums[i + j] for j in range(size)] for i in range(size)]


def _leverage(pairs: list[Pair], pair: Pair, degree: int) -> float:
    """The pair's weight in its own prediction (the diagonal of the hat matrix)."""
    row = [pair.device**power for power in range(degree + 1)]
    weights = _solve(_normal(pairs, [1.0] * len(pairs), degree), row)
    return min(0.999, sum(a * b for a, b in zip(row, weights, strict=True)))


def _solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Gaussian elimination with pivots; CalibrateError when the pairs do not determine the answer."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    size = len(rows)
    for i in range(size):
        pivot = max(range(i, size), key=lambda k: abs(rows[k][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        if abs(rows[i][i]) < 1e-9:
            raise CalibrateError("R hardly changes over the pairs: nothing can be fitted")
        for k in range(size):
            if k != i:
                share = rows[k][i] / rows[i][i]
                rows[k] = [a - share * b for a, b in zip(rows[k], rows[i], strict=True)]
    return [rows[i][size] / rows[i][i] for i in range(size)]


def _lines(pairs: list[Pair]) -> str:
    shown = ", ".join(str(pair.line) for pair in pairs[:10])
    return f"{shown} ..." if len(pairs) > 10 else shown
