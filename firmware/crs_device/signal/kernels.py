"""The loops of the PPG chain: machine code on MicroPython (viper); on CPython the same lines are plain Python.

Three rules keep both, and a chip's 32 bits, at the same answer: every value and sum fits 31 bits (the tests run these
very lines on integers that note their size); a `ptr32` load is unsigned on 64-bit hosts, so what may be negative and is
compared, shifted or divided is folded from 30 bits first; sums of products need that only once, at the end.
"""

from crs_core.compat import const, micropython, ptr32

LAG_MIN = const(6)  # 250 per minute at 25 Hz
BROKEN = const(64)  # in the answer of contact_from()
PEAK_BITS = const(11)  # a scaled window peaks below 2^11: a sum over 100 products stays below 2^29

_RING_MASK = const(127)
_SIGN = const(1 << 29)
_FOLD = const((1 << 30) - 1)


@micropython.viper
def contact_from(infrared: ptr32, n: int, threshold: int, level: int) -> int:
    """Index of the first of n samples after the last that is below `threshold` or a new grip, + BROKEN if there is one.

    A new grip is a quarter up or down from the sample before (`level` before the first; 0: none): no pulse does that.
    """
    first = 0
    for i in range(n):
        value = infrared[i]
        if value < threshold:
            first = i + 1 + BROKEN
        elif level > 0:
            quarter = level >> 2
            if value - level > quarter or level - value > quarter:
                first = i + BROKEN
        level = value
    return first


@micropython.viper
def level_of(ring: ptr32, end: int, n: int, limit: int) -> int:
    """Mean of the n values before `end` of a ring, or -1 when one reaches `limit`."""
    total = 0
    for i in range(end - n, end):
        value = ring[i & _RING_MASK]
        if value >= limit:
            return -1
        total += value
    return total // n


@micropython.viper
def copy_centred(ring: ptr32, end: int, n: int, out: ptr32) -> int:
    """Copy the n values before `end` of a ring into out[0:n], mean removed; return its magnitude, at least 1."""
    total = 0
    for i in range(end - n, end):
        total += (ring[i & _RING_MASK] + _SIGN & _FOLD) - _SIGN
    mean = total // n
    peak = 1
    j = 0
    for i in range(end - n, end):
        value = (ring[i & _RING_MASK] - mean + _SIGN & _FOLD) - _SIGN
        out[j] = value
        j += 1
        if value > peak:
            peak = value
        elif value < 0 - peak:
            peak = 0 - value
    return peak


@micropython.viper
def scale(x: ptr32, n: int, peak: int) -> int:
    """Bring x[0:n], of magnitude `peak`, to PEAK_BITS; return the shift used (positive: divided by 2^shift)."""
    shift = 0
    while peak >> shift >= 1 << PEAK_BITS:
        shift += 1
    if shift > 0:
        half = 1 << (shift - 1)
        for i in range(n):
            x[i] = ((x[i] + _SIGN & _FOLD) - _SIGN + half) >> shift
    else:
        while shift > -8 and peak << (1 - shift) < 1 << PEAK_BITS:
            shift -= 1
        up = 0 - shift
        for i in range(n):
            x[i] = x[i] << up
    return shift


@micropython.viper
def dot(x: ptr32, i: int, y: ptr32, j: int, n: int) -> int:
    """Sum of n products x[i..] y[j..] of scaled windows."""
    total = 0
    end = i + n
    while i < end:
        total += x[i] * y[j]
        i += 1
        j += 1
    return (total + _SIGN & _FOLD) - _SIGN


@micropython.viper
def autocorrelate(x: ptr32, n: int, lag_max: int, out: ptr32):
    """out[k] for LAG_MIN // 2 <= k <= lag_max+1: similarity of x with itself k later, thousandths, -1000..1000.

    2 sum(a b) / (sum(a a) + sum(b b)) over the overlap: 1000 only when shape and size repeat.
    """
    energy = 0
    for i in range(n):
        energy += x[i] * x[i]
    head = tail = energy  # of x[0:n-k] and of x[k:n]
    for k in range(1, lag_max + 2):
        head -= x[n - k] * x[n - k]
        tail -= x[k - 1] * x[k - 1]
        if k >= LAG_MIN >> 1:
            product = 0
            i = k
            j = 0
            while i < n:
                product += x[i] * x[j]
                i += 1
                j += 1
            scale = (head + tail & _FOLD) >> 11
            if scale > 0:
                out[k] = (((product + _SIGN & _FOLD) - _SIGN) >> 10) * 1000 // scale
            else:
                out[k] = 0


@micropython.viper
def first_peak(r: ptr32, lag_max: int, percent: int) -> int:
    """The shortest lag at which r peaks and reaches `percent` of its highest peak; 0: no peak above 0."""
    best = 0
    before = (r[LAG_MIN - 1] + _SIGN & _FOLD) - _SIGN
    here = (r[LAG_MIN] + _SIGN & _FOLD) - _SIGN
    for k in range(LAG_MIN, lag_max + 1):
        after = (r[k + 1] + _SIGN & _FOLD) - _SIGN
        if here > best and here >= before and here > after:
            best = here
        before = here
        here = after
    if best > 0:
        before = (r[LAG_MIN - 1] + _SIGN & _FOLD) - _SIGN
        here = (r[LAG_MIN] + _SIGN & _FOLD) - _SIGN
        for k in range(LAG_MIN, lag_max + 1):
            after = (r[k + 1] + _SIGN & _FOLD) - _SIGN
            if here * 100 >= best * percent and here >= before and here > after:
                return k
            before = here
            here = after
    return 0


@micropython.viper
def highest_peak(r: ptr32, first: int, last: int) -> int:
    """The lag from `first` to `last` at which r peaks highest, the shorter of equals; 0: none."""
    found = 0
    best = 0 - _SIGN
    before = (r[first - 1] + _SIGN & _FOLD) - _SIGN
    here = (r[first] + _SIGN & _FOLD) - _SIGN
    for k in range(first, last + 1):
        after = (r[k + 1] + _SIGN & _FOLD) - _SIGN
        if here > best and here >= before and here > after:
            best = here
            found = k
        before = here
        here = after
    return found


@micropython.viper
def smooth(x: ptr32, n: int, times: int):
    """Run the three-point smoother (1, 2, 1)/4 over x[0:n] so many times, in place."""
    while times > 0:
        times -= 1
        before = x[0]
        here = x[1]
        for i in range(2, n):
            after = x[i]
            x[i - 1] = ((before + here + here + after + 2 + _SIGN & _FOLD) - _SIGN) >> 2
            before = here
            here = after


@micropython.viper
def sharpen(x: ptr32, n: int) -> int:
    """Second difference of x[0:n] in place; returns its largest magnitude.

    A slow smooth wave such as fast breathing shrinks, and a quicker pulse that rides on it stands out.
    """
    before2 = x[0]
    before1 = x[1]
    peak = 1
    for i in range(2, n - 2):
        here = x[i]
        value = (before2 - here - here + x[i + 2] + _SIGN & _FOLD) - _SIGN
        before2 = before1
        before1 = here
        x[i] = value
        if value > peak:
            peak = value
        elif value < 0 - peak:
            peak = 0 - value
    x[0] = 0
    x[1] = 0
    x[n - 2] = 0
    x[n - 1] = 0
    return peak


@micropython.viper
def peak_to_peak(x: ptr32, n: int, span: int) -> int:
    """Mean over successive spans (one beat each, the newest first) of highest minus lowest."""
    total = 0
    count = 0
    end = n
    while end >= span:
        low = high = (x[end - 1] + _SIGN & _FOLD) - _SIGN
        for i in range(end - span, end):
            value = (x[i] + _SIGN & _FOLD) - _SIGN
            if value > high:
                high = value
            elif value < low:
                low = value
        total += high - low
        count += 1
        end -= span
    if count > 0:
        return total // count
    return 0


@micropython.viper
def slopes(x: ptr32, n: int) -> int:
    """Sum of the squared slopes x[i+1] - x[i-1], divided by 4 each."""
    total = 0
    for i in range(1, n - 1):
        slope = ((x[i + 1] - x[i - 1] + _SIGN & _FOLD) - _SIGN) >> 1
        total += slope * slope
    return total
