"""Is the window periodic, and with which period? Normalised autocorrelation with a parabolic peak.

Integers only: a window is scaled to 12 bits so that sums over 100 samples stay below 2^29. Nothing carries over from
the window before: a prior on the heart rate would hold on to half or double the rate.
"""

from array import array

from crs_core.compat import const
from crs_device.signal import kernels

LAG_MIN = kernels.LAG_MIN
LAG_MAX = const(52)  # 29 per minute

_FIRST_PEAK_PERCENT = const(75)  # of the highest peak
_SUBHARMONIC_PERMILLE = const(350)


def similarity(x: array, n: int, lag: int) -> int:
    """What `kernels.autocorrelate` gives for one lag."""
    n -= lag
    size = (kernels.dot(x, lag, x, lag, n) + kernels.dot(x, 0, x, 0, n)) >> 11
    return (kernels.dot(x, lag, x, 0, n) >> 10) * 1000 // size if size else 0


def roughness(x: array, n: int, period_64: int) -> int:
    """How much steeper the window is than a sine of its period, thousandths: 1000 for a sine, more for a pulse."""
    steep = kernels.slopes(x, n)
    size = kernels.dot(x, 1, x, 1, n - 2)
    # a sine has steep/size = 4 sin²(2 pi 64/period), here with the sine's own argument: the period is slow
    size = (size >> 10) * 158  # 4 x (2 pi)^2
    return (steep >> 8) * period_64 // 64 * period_64 * 1000 // 64 // size if size else 0


def find_period(r: array, lag_max: int) -> tuple[int, int]:
    """(period in 1/64 samples, height in thousandths) of the pulse in autocorrelation `r`; (0, 0) without a peak."""
    lag = kernels.first_peak(r, lag_max, _FIRST_PEAK_PERCENT)
    if not lag:
        return (0, 0)
    for divisor in (3, 2):  # a long period may be two or three beats
        part = _peak_near(r, lag * 64 // divisor, lag_max)
        if part and r[part] >= _SUBHARMONIC_PERMILLE:
            lag = part
            break
    return (_refine(r, lag), r[lag])


def _peak_near(r: array, lag_64: int, lag_max: int) -> int:
    """The highest peak within 8 % (at least one sample) of `lag_64`/64, or 0."""
    reach = max(64, lag_64 * 8 // 100)
    return kernels.highest_peak(
        r, max(LAG_MIN, (lag_64 - reach + 63) >> 6), min(lag_max, (lag_64 + reach) >> 6)
    )


def _refine(r: array, k: int) -> int:
    """Peak position in 1/64 samples by the parabola through three points."""
    bend = r[k - 1] - 2 * r[k] + r[k + 1]
    if bend >= 0:
        return k * 64
    return k * 64 + (r[k - 1] - r[k + 1]) * 32 // bend
