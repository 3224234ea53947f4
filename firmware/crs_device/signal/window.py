"""One window of 4 s judged alone: rate, ratio of ratios and perfusion, or the gate that it failed."""

from array import array

from crs_core.compat import const
from crs_core.units import (
    HR_MAX_BPM,
    HR_MIN_BPM,
    PPG_ABSENT,
    PPG_IRREGULAR,
    PPG_LOW_PERFUSION,
    PPG_MOTION,
    PPG_NO_PULSE,
    PPG_SATURATED,
    PPG_VALID,
)
from crs_device.signal import highpass, kernels, light, pulse, quality

WINDOW = const(100)  # 4 s
SATURATED = const(260000)  # of 262143
RED_MIN = const(2500)  # darker than this under a finger: the red light is dead

_HEIGHT_MIN = const(700)  # autocorrelation at the period, thousandths
_HEIGHT_SURE = const(850)  # from here on any shape counts that repeats; below it only the shape of a pulse
# the same with less than four beats in the window: movement repeats twice by chance
_HEIGHT_SURE_FEW = const(900)
_HEIGHT_FEW_MIN = const(850)
_UPSTROKE_MIN = const(1700)  # blood comes faster than it goes; movement 1000 either way, pulses 1600 to 4000
# lamps and swinging are sines (below 35); a pulse of 200 per minute has 40 and more
_OVERTONE_MIN = const(40)
_OVERTONE_MIN_SHORT = const(150)  # the filter may still be settling
_OVERTONE_MAX = const(1500)  # half the period repeats as well: the wave is too quick for a heart
_AGREEMENT_MIN = const(902)  # squared correlation of red and infrared: 0.95²
_PI_MIN = const(4)  # † below 0.04 % even a regular movement is within the noise
_PI_MAX = const(2500)
_PI_NOTHING = const(10)  # † without a period, movement of the trace below 0.10 % is not a pulse
_PI_NOISE = const(100)  # † the same while red and infrared do not agree: noise of the electronics or the room
_PI_LOW = const(30)  # † below 0.30 % a failed window is called low perfusion, above it movement
_SLOW_LAG = const(28)  # 53 per minute and slower: as slow as breathing can be fast
_BREATH_LAG = const(10)  # 150 per minute: quicker ones are sines in any case
_LAG_37 = const(40)
_PI_DEPTH = const(50)  # breathing is as large as a slow pulse below 0.5 %
_DEPTH_MAX = const(8000)
_DEPTH_CLEAR = const(1500)
POLARITY_OPEN = const(900)
_ROUGHNESS_MIN = const(1200)  # breathing is a sine (1000); a pulse as slow has an upstroke: 1250 and more,
_ROUGHNESS_MIN_37 = const(1500)  # 1900 at 37 per minute and slower; a small sine with noise reaches 1400
_HEIGHT_SOME = const(500)
_HEIGHT_RAW_MIN = const(600)  # the same before smoothing: smoothed movement looks regular
_AGREEMENT_SOME = const(250)


class Window:
    """`Window(raw_red, raw_infrared, red, infrared)`: rings of highpass.RING, raw counts and filtered counts × 8."""

    def __init__(self, raw_red: array, raw_infrared: array, red: array, infrared: array) -> None:
        self._raw_red = raw_red
        self._raw_infrared = raw_infrared
        self._red = red
        self._infrared = infrared
        self._u = array("i", [0] * 100)
        self._v = array("i", [0] * 100)
        self._r = array("i", [0] * (pulse.LAG_MAX + 2))
        self.polarity = 0  # of the last window that was PPG_VALID, thousandths: 1000 is as well upside down

    def judge(self, position: int, n: int) -> tuple[int, int, int, int]:
        """The n samples (at most 100) before `position`: (rate in tenths per minute, R in thousandths, perfusion in
        hundredths of a percent, PPG_*). Rate and R are 0 unless PPG_VALID."""
        end = position + highpass.RING
        red_level = kernels.level_of(self._raw_red, end, n, SATURATED)
        infrared_level = kernels.level_of(self._raw_infrared, end, n, SATURATED)
        if red_level < 0 or infrared_level < 0:
            return (0, 0, 0, PPG_SATURATED)
        if red_level < RED_MIN:
            return (0, 0, 0, PPG_ABSENT)  # infrared sees skin, red sees nothing: a dead light
        u = self._u
        v = self._v
        red_shift = kernels.scale(u, n, kernels.copy_centred(self._red, end, n, u))
        shift = kernels.scale(v, n, kernels.copy_centred(self._infrared, end, n, v))
        lag_max = min(pulse.LAG_MAX, n * 54 // 100)
        kernels.autocorrelate(v, n, lag_max, self._r)
        period, height = pulse.find_period(self._r, lag_max)
        overtone = pulse.overtone(self._r, period, height)
        lag = (period + 32) >> 6
        size = kernels.peak_to_peak(v, n, lag or n // 2)
        size = size << shift if shift >= 0 else size >> -shift
        perfusion = size * (10000 >> highpass.FRACTION_BITS) // infrared_level
        if lag >= _SLOW_LAG or (_HEIGHT_SOME < height < _HEIGHT_SURE and lag >= _BREATH_LAG):
            # Fast breathing can be larger than the pulse, or hide how regular it is: look for what rides on it.
            sharper = kernels.scale(v, n, kernels.sharpen(v, n))
            kernels.autocorrelate(v, n, lag_max, self._r)
            quick, quick_height = pulse.find_period(self._r, lag_max)
            is_other = quick * 4 < period * 3 and quick_height >= _HEIGHT_RAW_MIN
            is_same = lag < _SLOW_LAG and abs(quick - period) * 10 < period and quick_height >= _HEIGHT_SURE
            if is_other or is_same:
                period = quick
                height = quick_height
                overtone = pulse.overtone(self._r, period, height)
                lag = (period + 32) >> 6
                shift += sharper
                red_shift += kernels.scale(u, n, kernels.sharpen(u, n))
            else:
                kernels.scale(v, n, kernels.copy_centred(self._infrared, end, n, v))
        if height >= _HEIGHT_RAW_MIN:
            # The slower the pulse, the more of the band above it is only noise.
            times = 0 if lag < 10 else 1 if lag < 14 else 3 if lag < 24 else 6
            kernels.smooth(u, n, times)
            kernels.smooth(v, n, times)
            height = pulse.similarity(v, n, lag)
            least = _ROUGHNESS_MIN if lag < _LAG_37 else _ROUGHNESS_MIN_37
            if lag >= _SLOW_LAG and perfusion < _PI_NOTHING:
                return (0, 0, perfusion, PPG_NO_PULSE if perfusion < _PI_MIN else PPG_LOW_PERFUSION)
            if lag >= _SLOW_LAG and pulse.roughness(v, n, period) < least:
                return (0, 0, perfusion, PPG_MOTION)
        agreement = quality.correlation_squared(u, v, n)
        if height < _HEIGHT_MIN or agreement < _AGREEMENT_MIN or not _PI_MIN <= perfusion <= _PI_MAX:
            return (0, 0, perfusion, _why_not(height, agreement, perfusion))
        least = _OVERTONE_MIN if n >= WINDOW else _OVERTONE_MIN_SHORT
        sure = _HEIGHT_SURE
        if lag * 4 > n:
            if height < _HEIGHT_FEW_MIN:
                return (0, 0, perfusion, PPG_MOTION)
            sure = _HEIGHT_SURE_FEW
        upstroke = light.upstroke(self._raw_infrared, end, n, lag)
        if height < sure or not least <= overtone <= _OVERTONE_MAX:
            if upstroke < _UPSTROKE_MIN:
                return (0, 0, perfusion, PPG_MOTION)
        if not quality.is_steady(v, n, period):
            return (0, 0, perfusion, PPG_MOTION)
        ratio = quality.amplitude_ratio_milli(u, v, n, lag) * infrared_level // red_level
        shift = red_shift - shift
        ratio = ratio << shift if shift >= 0 else ratio >> -shift
        rate = 960000 // period  # 60 s × 25 Hz × 64 × 10
        if ratio <= 0 or not HR_MIN_BPM * 10 <= rate <= HR_MAX_BPM * 10:
            return (0, 0, perfusion, PPG_MOTION)
        if light.cut_off(self._raw_infrared, end, n) or light.cut_off(self._raw_red, end, n):
            return (0, 0, perfusion, PPG_SATURATED)
        # A sensor with a high-pass of its own makes the two slopes alike, and breathing makes the two halves alike.
        depth = min(light.depth(self._raw_infrared, end, n, lag), _DEPTH_MAX)
        upstroke = min(upstroke, _DEPTH_MAX)
        self.polarity = upstroke * depth // 1000
        if lag >= _SLOW_LAG and perfusion < _PI_DEPTH:
            # Breathing may be the larger part: the depth decides nothing, but it may contradict.
            self.polarity = upstroke
            if upstroke < POLARITY_OPEN and depth >= _DEPTH_CLEAR:
                self.polarity = POLARITY_OPEN
        return (rate, ratio, perfusion, PPG_VALID)


def _why_not(height: int, agreement: int, perfusion: int) -> int:
    """The state of a window that failed a gate."""
    if perfusion > _PI_MAX:
        return PPG_MOTION
    if perfusion < _PI_MIN:
        return PPG_NO_PULSE
    if height >= _HEIGHT_SOME and agreement >= _AGREEMENT_SOME:
        return PPG_LOW_PERFUSION if perfusion < _PI_LOW else PPG_MOTION
    if perfusion < _PI_NOTHING or (agreement < _AGREEMENT_SOME and perfusion < _PI_NOISE):
        return PPG_NO_PULSE
    return PPG_IRREGULAR if agreement >= _AGREEMENT_MIN else PPG_MOTION
