"""Measures over one analysis window: agreement of the channels, steadiness, ratio of ratios. Integers only."""

from array import array

from crs_device.signal.kernels import dot


def correlation_squared(u: array, v: array, n: int) -> int:
    """Squared correlation of two zero-mean windows in thousandths; 0 when they move against each other."""
    uu = dot(u, 0, u, 0, n) >> 14
    vv = dot(v, 0, v, 0, n) >> 14
    uv = dot(u, 0, v, 0, n) >> 14
    if uv <= 0 or not uu or not vv:
        return 0
    return uv * uv * 1000 // (uu * vv)


def is_steady(x: array, n: int, period_64: int) -> bool:
    """Whether parts of the window (quarters, or whole beats of a slow pulse) differ in energy by less than 3 times."""
    length = n >> 2
    if period_64 >> 6 > length:
        length = (n * 64 // period_64 // 2 * period_64) >> 6  # two parts of whole beats
        if not length:
            return True
    least = most = -1
    start = n - length
    while start >= 0:
        energy = dot(x, start, x, start, length)
        if least < 0 or energy < least:
            least = energy
        if energy > most:
            most = energy
        start -= length
    return most < 3 * least


def amplitude_ratio_milli(u: array, v: array, n: int, lag: int) -> int:
    """How much larger u's pulse is than v's, in thousandths, measured between points one beat apart.

    White noise and movement that does not repeat with the beat have no part in products at that lag. 0: no pulse.
    """
    n -= lag
    cross = dot(u, lag, v, 0, n) + dot(u, 0, v, lag, n)
    power = dot(v, lag, v, 0, n)
    if power <= 0 or cross <= 0:
        return 0
    return cross * 500 // power
