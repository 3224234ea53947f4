"""The streaming filter of one optical channel, in integers that fit 30 bits: no float, so no allocation.

Fourth-order Butterworth high-pass at 0.6 Hz (two state-variable sections: breathing and drift go, 30 beats a minute
stays), then the three-point smoother (1, 2, 1)/4, -3 dB at 4.6 Hz with a zero at 12.5 Hz. At 25 samples a second.

Counts carry 3 fractional bits. The largest product for any input in 0..262143 stays below 2^30 (a test drives the
worst case), so the chips' 31-bit small integers hold every intermediate.
"""

from array import array

from crs_core.compat import const, micropython, ptr32

FRACTION_BITS = const(3)
RING = const(128)  # samples kept: 5.12 s
_RING_MASK = const(127)
_SIGN = const(1 << 29)  # see kernels.py
_FOLD = const((1 << 30) - 1)

# Chamberlin's section: F = 2 sin(pi fc / fs), Q1 = 1/0.5412, Q2 = 1/1.3066, all × 256.
_F = const(39)
_Q1 = const(473)
_Q2 = const(196)
_HALF = const(128)
_GAIN = const(15)  # / 16: these sections amplify the pass band a little; 1 to 2 Hz is left as it is
_RECENTRE = const(4096 << 3)  # drift of 4096 counts


def new_state() -> array:
    """[origin counts, low 1, band 1, low 2, band 2, last output, output before]."""
    return array("i", [0] * 7)


def restart(state: array, origin: int) -> None:
    """Forget the past and settle at once on `origin` counts, the level of the first sample."""
    state[0] = origin
    for i in range(1, 7):
        state[i] = 0


@micropython.viper
def run(state: ptr32, raw: ptr32, first: int, n: int, ring: ptr32, raw_ring: ptr32, position: int):
    """Filter raw[first:n] (counts) into `ring` (counts × 8) and copy it to `raw_ring`, from `position` on."""
    origin = (state[0] + _SIGN & _FOLD) - _SIGN
    low1 = (state[1] + _SIGN & _FOLD) - _SIGN
    band1 = (state[2] + _SIGN & _FOLD) - _SIGN
    low2 = (state[3] + _SIGN & _FOLD) - _SIGN
    band2 = (state[4] + _SIGN & _FOLD) - _SIGN
    y1 = (state[5] + _SIGN & _FOLD) - _SIGN
    y2 = (state[6] + _SIGN & _FOLD) - _SIGN
    if low1 > _RECENTRE or low1 < 0 - _RECENTRE:
        shift = low1 >> 3  # follow drift: moving origin and low 1 together changes no output
        origin += shift
        low1 -= shift << 3
    for i in range(first, n):
        value = raw[i]
        raw_ring[position] = value
        low1 += (_F * band1 + _HALF) >> 8
        x = ((value - origin) << 3) - low1 - ((_Q1 * band1 + _HALF) >> 8)
        band1 += (_F * x + _HALF) >> 8
        low2 += (_F * band2 + _HALF) >> 8
        y = x - low2 - ((_Q2 * band2 + _HALF) >> 8)
        band2 += (_F * y + _HALF) >> 8
        ring[position] = ((y + y1 + y1 + y2) * _GAIN + 32) >> 6
        y2 = y1
        y1 = y
        position = (position + 1) & _RING_MASK
    state[0] = origin
    state[1] = low1
    state[2] = band1
    state[3] = low2
    state[4] = band2
    state[5] = y1
    state[6] = y2
