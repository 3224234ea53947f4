"""Is the window periodic, and with which period? Normalised autocorrelation with a parabolic peak.

Integers only: a window is scaled to 12 bits so that sums over 100 samples stay below 2^30. Nothing carries over from
the window before: a prior on the heart rate would hold on to half or double the rate.
"""

from array import array

from crs_core.compat import const

LAG_MIN = const(6)  # 250 per minute at 25 Hz
LAG_MAX = const(52)  # 29 per minute
PEAK_BITS = const(11)  # a scaled window peaks below 2^11

_FIRST_PEAK_PERCENT = const(75)  # of the highest peak
_SUBHARMONIC_PERMILLE = const(350)


def copy_scaled(ring: array, end: int, n: int, out: array) -> int:
    """Copy the n values before `end` of a 128-ring into out[0:n], mean removed, scaled to 12 bits.

    Returns the shift used (positive: divided by 2^shift).
    """
    total = 0
    for i in range(end - n, end):
        total += ring[i & 127]
    mean = total // n
    peak = 1
    j = 0
    for i in range(end - n, end):
        value = ring[i & 127] - mean
        out[j] = value
        j += 1
        if value > peak:
            peak = value
        elif value < -peak:
            peak = -value
    return _scale(out, n, peak)


def sharpen(x: array, n: int) -> int:
    """Second difference of x[0:n] in place, scaled to 12 bits again; returns the shift.

    A slow smooth wave such as fast breathing shrinks, and a quicker pulse that rides on it stands out.
    """
    before2 = x[0]
    before1 = x[1]
    peak = 1
    for i in range(2, n - 2):
        here = x[i]
        value = before2 - here - here + x[i + 2]
        before2 = before1
        before1 = here
        x[i] = value
        if value > peak:
            peak = value
        elif value < -peak:
            peak = -value
    x[0] = x[1] = x[n - 2] = x[n - 1] = 0
    return _scale(x, n, peak)


def _scale(out: array, n: int, peak: int) -> int:
    shift = 0
    while peak >> shift >= 1 << PEAK_BITS:
        shift += 1
    while -8 < shift <= 0 and peak << (1 - shift) < 1 << PEAK_BITS:
        shift -= 1
    if shift > 0:
        half = 1 << (shift - 1)
        for i in range(n):
            out[i] = (out[i] + half) >> shift
    elif shift < 0:
        up = -shift
        for i in range(n):
            out[i] = out[i] << up
    return shift


def autocorrelate(x: array, n: int, lag_max: int, out: array) -> None:
    """out[k] for LAG_MIN-1 <= k <= lag_max+1: similarity of x with itself k later, thousandths, -1000..1000.

    2 sum(a b) / (sum(a a) + sum(b b)) over the overlap: 1000 only when shape and size repeat.
    """
    energy = 0
    for i in range(n):
        energy += x[i] * x[i]
    head = tail = energy  # of x[0:n-k] and of x[k:n]
    for k in range(1, lag_max + 2):
        head -= x[n - k] * x[n - k]
        tail -= x[k - 1] * x[k - 1]
        if k < LAG_MIN - 1:
            continue
        product = 0
        for i in range(k, n):
            product += x[i] * x[i - k]
        scale = (head + tail) >> 11
        out[k] = (product >> 10) * 1000 // scale if scale else 0


def similarity(x: array, n: int, lag: int) -> int:
    """What `autocorrelate` gives for one lag."""
    head = tail = product = 0
    for i in range(lag, n):
        a = x[i]
        b = x[i - lag]
        tail += a * a
        head += b * b
        product += a * b
    scale = (head + tail) >> 11
    return (product >> 10) * 1000 // scale if scale else 0


def roughness(x: array, n: int, period_64: int) -> int:
    """How much steeper the window is than a sine of its period, thousandths: 1000 for a sine, more for a pulse."""
    steep = size = 0
    for i in range(1, n - 1):
        slope = x[i + 1] - x[i - 1]
        steep += slope * slope
        size += x[i] * x[i]
    # a sine has steep/size = 4 sin²(2 pi 64/period), here with the sine's own argument: the period is slow
    size = (size >> 10) * 158  # 4 x (2 pi)^2
    return (steep >> 10) * period_64 // 64 * period_64 * 1000 // 64 // size if size else 0


def smooth(x: array, n: int, times: int) -> None:
    """Run the three-point smoother (1, 2, 1)/4 over x[0:n] so many times, in place."""
    for _ in range(times):
        before = x[0]
        for i in range(1, n - 1):
            value = x[i]
            x[i] = (before + value + value + x[i + 1] + 2) >> 2
            before = value


def find_period(r: array, lag_max: int) -> tuple[int, int]:
    """(period in 1/64 samples, height in thousandths) of the pulse in autocorrelation `r`; (0, 0) without a peak."""
    best = 0
    for k in range(LAG_MIN, lag_max + 1):
        if r[k] > best and _is_peak(r, k):
            best = r[k]
    if best <= 0:
        return (0, 0)
    lag = 0
    for k in range(LAG_MIN, lag_max + 1):
        if _is_peak(r, k) and r[k] * 100 >= best * _FIRST_PEAK_PERCENT:
            lag = k
            break
    for divisor in (3, 2):  # a long period may be two or three beats
        part = _peak_near(r, lag * 64 // divisor, lag_max)
        if part and r[part] >= _SUBHARMONIC_PERMILLE:
            lag = part
            break
    return (_refine(r, lag), r[lag])


def _is_peak(r: array, k: int) -> bool:
    return r[k] >= r[k - 1] and r[k] > r[k + 1]


def _peak_near(r: array, lag_64: int, lag_max: int) -> int:
    """The highest peak within 8 % (at least one sample) of `lag_64`/64, or 0."""
    reach = max(64, lag_64 * 8 // 100)
    found = 0
    for k in range(max(LAG_MIN, (lag_64 - reach + 63) >> 6), min(lag_max, (lag_64 + reach) >> 6) + 1):
        if _is_peak(r, k) and (not found or r[k] > r[found]):
            found = k
    return found


def _refine(r: array, k: int) -> int:
    """Peak position in 1/64 samples by the parabola through three points."""
    bend = r[k - 1] - 2 * r[k] + r[k + 1]
    if bend >= 0:
        return k * 64
    return k * 64 + (r[k - 1] - r[k + 1]) * 32 // bend
