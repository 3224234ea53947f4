"""Is this the light of a pulse: loops over raw counts, as machine code under the rules of kernels.py."""

from crs_core.compat import const, micropython, ptr32

_RING_MASK = const(127)
_PEAK_BITS = const(11)  # as in kernels.py; machine code knows no constant of another module


@micropython.viper
def upstroke(ring: ptr32, end: int, n: int, lag: int) -> int:
    """Energy of the falling slopes over that of the rising ones, of the n raw counts before `end`, in thousandths.

    Blood darkens the finger faster than it leaves it, so the light of a pulse falls steeper than it rises. Slopes are
    taken from the mean slope of the beat around them, so that breathing and drift have no part.
    """
    start = end - n + (lag >> 1)
    behind = lag >> 1
    ahead = lag - behind
    peak = 1
    for i in range(start, end - ahead):
        slope = lag * (ring[(i + 1) & _RING_MASK] - ring[(i - 1) & _RING_MASK])
        slope -= (ring[(i + ahead) & _RING_MASK] - ring[(i - behind) & _RING_MASK]) << 1
        if slope > peak:
            peak = slope
        elif slope < 0 - peak:
            peak = 0 - slope
    shift = 0
    while peak >> shift >= 1 << _PEAK_BITS:
        shift += 1
    half = (1 << shift) >> 1
    falling = 0
    rising = 0
    for i in range(start, end - ahead):
        slope = lag * (ring[(i + 1) & _RING_MASK] - ring[(i - 1) & _RING_MASK])
        slope -= (ring[(i + ahead) & _RING_MASK] - ring[(i - behind) & _RING_MASK]) << 1
        slope = (slope + half) >> shift
        if slope < 0:
            falling += slope * slope
        else:
            rising += slope * slope
    while falling >= 1 << 20:
        falling >>= 1
        rising >>= 1
    if rising > 0:
        return falling * 1000 // rising
    return 0


@micropython.viper
def depth(ring: ptr32, end: int, n: int, lag: int) -> int:
    """Energy below the mean of the beat over that above it, of whole beats of the n raw counts before `end`, in
    thousandths; 1000 when there is no whole beat.

    A beat is short and what lies between beats is long, so the light of a pulse dips deeper than it stands high.
    """
    behind = lag >> 1
    ahead = lag - behind
    first = end - ahead - (n - lag) // lag * lag
    around = 0
    for i in range(first - behind, first + ahead):
        around += ring[i & _RING_MASK]
    total = around
    peak = 1
    for i in range(first, end - ahead):
        value = lag * ring[i & _RING_MASK] - total
        total += ring[(i + ahead) & _RING_MASK] - ring[(i - behind) & _RING_MASK]
        if value > peak:
            peak = value
        elif value < 0 - peak:
            peak = 0 - value
    shift = 0
    while peak >> shift >= 1 << _PEAK_BITS:
        shift += 1
    half = (1 << shift) >> 1
    total = around
    below = 0
    above = 0
    for i in range(first, end - ahead):
        value = (lag * ring[i & _RING_MASK] - total + half) >> shift
        total += ring[(i + ahead) & _RING_MASK] - ring[(i - behind) & _RING_MASK]
        if value < 0:
            below += value * value
        else:
            above += value * value
    while below >= 1 << 20:
        below >>= 1
        above >>= 1
    if above > 0:
        return below * 1000 // above
    return 1000


@micropython.viper
def alike(x: ptr32, y: ptr32, end: int, n: int) -> int:
    """1 when the n values before `end` are the same in both rings: two lights with noise of their own never are."""
    for i in range(end - n, end):
        if x[i & _RING_MASK] != y[i & _RING_MASK]:
            return 0
    return 1


@micropython.viper
def cut_off(ring: ptr32, end: int, n: int) -> int:
    """1 when a tenth of the n raw counts before `end` lie at the highest or the lowest one, although the steps between
    neighbours are fine: a converter or a program cut the wave off below its full scale.
    """
    before = low = high = ring[(end - n) & _RING_MASK]
    step = 1 << 18
    at_low = at_high = 0
    for i in range(end - n, end):
        value = ring[i & _RING_MASK]
        if value > high:
            high = value
            at_high = 0
        elif value < low:
            low = value
            at_low = 0
        if value == high:
            at_high += 1
        if value == low:
            at_low += 1
        change = value - before
        if change < 0:
            change = 0 - change
        if change > 0 and change < step:
            step = change
        before = value
    if high - low < step << 6:
        return 0
    if at_high * 10 >= n or at_low * 10 >= n:
        return 1
    return 0
