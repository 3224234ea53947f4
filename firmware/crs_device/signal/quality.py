"""Measures over one analysis window: size, agreement of the channels, steadiness, ratio of ratios. Integers only."""

from array import array


def correlation_squared(u: array, v: array, n: int) -> int:
    """Squared correlation of two zero-mean windows in thousandths; 0 when they move against each other."""
    uu = vv = uv = 0
    for i in range(n):
        a = u[i]
        b = v[i]
        uu += a * a
        vv += b * b
        uv += a * b
    uu >>= 14
    vv >>= 14
    uv >>= 14
    if uv <= 0 or not uu or not vv:
        return 0
    return uv * uv * 1000 // (uu * vv)


def peak_to_peak(x: array, n: int, span: int) -> int:
    """Mean over successive spans (one beat each, the newest first) of highest minus lowest."""
    total = count = 0
    end = n
    while end >= span:
        low = high = x[end - span]
        for i in range(end - span, end):
            value = x[i]
            if value > high:
                high = value
            elif value < low:
                low = value
        total += high - low
        count += 1
        end -= span
    return total // count if count else 0


def is_steady(x: array, n: int, period_64: int) -> bool:
    """Whether parts of the window (up to four, of whole beats) differ in energy by less than 2.5 times."""
    beats = n * 64 // period_64
    parts = min(4, beats)
    if parts < 2:
        return True
    length = (beats // parts * period_64) >> 6
    least = most = -1
    end = n
    for _ in range(parts):
        energy = 0
        for i in range(end - length, end):
            energy += x[i] * x[i]
        end -= length
        if least < 0 or energy < least:
            least = energy
        if energy > most:
            most = energy
    return 2 * most < 5 * least


def amplitude_ratio_milli(u: array, v: array, n: int, lag: int) -> int:
    """How much larger u's pulse is than v's, in thousandths, measured between points one beat apart.

    White noise and movement that does not repeat with the beat have no part in products at that lag. 0: no pulse.
    """
    cross = power = 0
    for i in range(lag, n):
        a = v[i]
        b = v[i - lag]
        cross += u[i] * b + u[i - lag] * a
        power += a * b
    if power <= 0 or cross <= 0:
        return 0
    return cross * 500 // power
