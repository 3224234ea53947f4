"""From red and infrared samples to SpO2, heart rate and perfusion index, or to no value and the reason.

25 Hz in (whole bursts), one answer a second out of the last 4 seconds. Method: streaming integer high-pass per
channel; period of the infrared by autocorrelation; ratio of ratios between points one beat apart; gates on contact,
agreement of the channels, periodicity, shape, steadiness and perfusion; median of three seconds. Where movement spoils
the newest 4 s, 3.2 s of the last 4.2 may pass. What fails gives no value: nothing is held over from before. Of samples
that are followed by a hole the last window is still answered, once, with its age: when a stall is long, it is the only
one that saw a short desaturation.

`push()` allocates nothing; `vitals()` works in integers below 2^31.
"""

from array import array

from crs_core.compat import const
from crs_core.spo2_curve import AN6845, spo2_tenths
from crs_core.units import (
    PPG_ABSENT,
    PPG_IRREGULAR,
    PPG_LOW_PERFUSION,
    PPG_MOTION,
    PPG_NO_CONTACT,
    PPG_NO_PULSE,
    PPG_SETTLING,
    PPG_STALE,
    PPG_SWAPPED,
    PPG_VALID,
    SPO2_MAX_TENTHS,
    SPO2_MIN_TENTHS,
)
from crs_device.signal import highpass, kernels, light
from crs_device.signal.window import WINDOW, Window

FIRST_WINDOW = const(80)  # 3.2 s is enough for a first value; slower pulses need the whole window
CONTACT_ON = const(20000)  # infrared counts of 262143; a finger gives 50 000 or more, open air below 2 000
CONTACT_OFF = const(10000)
OLDER = const(25)  # a window that ended a second ago
# † a window before a longer gap gives no answer: alarms take none older than 10 s
BEHIND_MAX_MS = const(8000)
ONSET = const(5)  # samples dropped after contact: the level is still rising
STALE_MS = const(3000)

_RING_MASK = const(127)
_SWAPPED_RATIO = const(1600)  # R of 62 % SpO2; healthy blood through swapped channels gives 1.6 to 2.7
_ORIENTED_RATIO = const(1000)
# Window.polarity: pulses have 900 and mostly more than 1300, what is upside down mostly less than 600.
_UPRIGHT = const(1250)
_UPRIGHT_FIRST = const(900)
_UPSIDE_DOWN = const(650)
# A sensor does not turn round: once it is sure, only a window as clear as this counts. A wide vessel's second wave
# at 170 per minute and more looks upside down, at 430 and more.
_UPSIDE_DOWN_LATER = const(400)
_POLARITY_SURE = const(3)  # windows

# what is wrong with the light while the state is PPG_SWAPPED
LIGHT_EXCHANGED = const(1)
LIGHT_UPSIDE_DOWN = const(2)
LIGHT_ALIKE = const(3)


class Ppg:
    """`Ppg(curve=AN6845, ir_only=False)`. Feed it by `push()`, report gaps by `gap()`, call `vitals()` once a second.

    `contact`: True, False, or None when no samples came yet or lately. The first value comes 3.4 to 4.6 s after
    contact, drains of 200 ms included. `ratio_milli` is the last R in thousandths (0: none). `behind_ms` is how old the
    newest sample behind the last answer is at least: 0 except after a gap or in movement. `wrong_light` says with
    PPG_SWAPPED what is wrong, one of LIGHT_*.

    `ir_only`: there is no red light. What is pushed as red is ignored, and SpO2 stays None beside a heart rate.
    """

    def __init__(self, curve: tuple[int, int, int] = AN6845, ir_only: bool = False) -> None:
        self._curve = curve
        self._ir_only = ir_only
        zeros = [0] * highpass.RING
        self._raw_red = array("i", zeros)
        self._raw_infrared = array("i", zeros)
        self._red = array("i", zeros)
        self._infrared = array("i", zeros)
        self._red_filter = highpass.new_state()
        self._infrared_filter = highpass.new_state()
        self._window = Window(self._raw_red, self._raw_infrared, self._red, self._infrared)
        self._position = 0
        self._count = 0  # contiguous filtered samples, at most RING
        self._onset = 0  # samples still to drop
        self._in_contact = False
        self._level = 0  # last infrared sample in contact
        self._fed = False  # samples came since the last vitals()
        self._fed_ms: int | None = None
        self._oriented = False  # a plausible ratio was seen: red is red
        self._polarity = 0  # windows in which the light fell with the beat, less those in which it rose
        self._rates = array("i", [0, 0, 0])  # tenths per minute, newest first, 0 = none
        self._ratios = array("i", [0, 0, 0])
        # the window that a hole cut off, not answered yet
        self._before_hole: tuple[int, int, int, int] | None = None
        self._hole_ms = 0
        self.contact: bool | None = None
        self.ratio_milli = 0
        self.behind_ms = 0
        self.wrong_light = 0

    def push(self, red: array, infrared: array, n: int) -> None:
        """Take n samples (raw counts) that follow the last ones without a gap. No allocation."""
        if n <= 0:
            return
        if self._ir_only:
            red = infrared  # agrees with itself
        self._fed = True
        threshold = CONTACT_OFF if self._in_contact else CONTACT_ON
        first = kernels.contact_from(infrared, n, threshold, self._level)
        restart = first >= kernels.BROKEN or not self._in_contact
        first &= kernels.BROKEN - 1
        self._level = infrared[n - 1]
        if first >= n:
            self._in_contact = False
            self._count = 0
            self._level = 0
            return
        self._in_contact = True
        if restart:
            self._count = 0
            self._onset = ONSET
        if self._onset:
            skipped = min(self._onset, n - first)
            self._onset -= skipped
            first += skipped
            if first >= n:
                return
        if self._count == 0:
            highpass.restart(self._red_filter, red[first])
            highpass.restart(self._infrared_filter, infrared[first])
        position = self._position
        highpass.run(self._red_filter, red, first, n, self._red, self._raw_red, position)
        highpass.run(self._infrared_filter, infrared, first, n, self._infrared, self._raw_infrared, position)
        self._position = (position + n - first) & _RING_MASK
        self._count = min(self._count + n - first, highpass.RING)

    def gap(self, span_ms: int = 0) -> None:
        """Samples are missing between the last push and the next, `span_ms` of them at least: start over."""
        if self._fed and self._in_contact and self._count >= FIRST_WINDOW:
            self._before_hole = self._believed(self._window.judge(self._position, min(self._count, WINDOW)))
            self._hole_ms = 0
        self._hole_ms += span_ms
        self._count = 0
        self._level = 0

    def vitals(self, now_ms: int) -> "tuple[int | None, int | None, int | None, int]":
        """(spo2_tenths, hr_bpm, pi_hundredths, PPG_*) of the last seconds; values are None unless PPG_VALID.

        pi_hundredths is also given with PPG_LOW_PERFUSION, and is 0 with PPG_NO_PULSE. Call once a second.
        """
        if self._fed:
            self._fed = False
            self._fed_ms = now_ms
        state = self._presence(now_ms)
        rate = ratio = perfusion = self.behind_ms = 0
        before_hole = self._before_hole
        self._before_hole = None
        if state == PPG_VALID:
            rate, ratio, perfusion, state = self._believed(self._best_window())
        elif state == PPG_SETTLING and before_hole is not None and self._hole_ms <= BEHIND_MAX_MS:
            rate, ratio, perfusion, state = before_hole
            self.behind_ms = self._hole_ms
        rates = self._rates
        ratios = self._ratios
        rates[2] = rates[1]
        rates[1] = rates[0]
        rates[0] = rate
        ratios[2] = ratios[1]
        ratios[1] = ratios[0]
        ratios[0] = ratio
        if state != PPG_VALID:
            if state == PPG_LOW_PERFUSION:
                return (None, None, perfusion, state)
            return (None, None, 0 if state == PPG_NO_PULSE else None, state)
        rate = (_middle(rates) + 5) // 10
        if self._ir_only:
            return (None, rate, perfusion, PPG_VALID)
        ratio = _middle(ratios)
        self.ratio_milli = ratio
        if not self._oriented:
            if ratio < _ORIENTED_RATIO:
                self._oriented = True
            elif ratio >= _SWAPPED_RATIO:
                self.wrong_light = LIGHT_EXCHANGED
                return (None, None, None, PPG_SWAPPED)
        spo2 = spo2_tenths(self._curve, ratio)
        # Beyond the curve's end its limit is reported: "50 or less" must alarm, not vanish.
        spo2 = max(SPO2_MIN_TENTHS, min(SPO2_MAX_TENTHS, spo2))
        return (spo2, rate, perfusion, PPG_VALID)

    def _best_window(self) -> tuple[int, int, int, int]:
        """The newest 4 s; where movement spoils them the newest 3.2 s, or the 3.2 s that ended a second ago."""
        judge = self._window.judge
        answer = judge(self._position, min(self._count, WINDOW))
        if answer[3] in (PPG_MOTION, PPG_IRREGULAR) and self._count > FIRST_WINDOW:
            short = judge(self._position, FIRST_WINDOW)
            if short[3] != PPG_VALID and self._count >= FIRST_WINDOW + OLDER:
                short = judge(self._position - OLDER, FIRST_WINDOW)
                self.behind_ms = 1000
            if short[3] == PPG_VALID:
                return short
            self.behind_ms = 0
        return answer

    def _believed(self, answer: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        """The answer of a window, unless its light is none that comes back from blood."""
        if answer[3] != PPG_VALID:
            return answer
        end = self._position + highpass.RING
        if not self._ir_only and light.alike(self._red, self._infrared, end, FIRST_WINDOW):
            self.wrong_light = LIGHT_ALIKE
            return (0, 0, 0, PPG_SWAPPED)
        polarity = self._window.polarity
        is_sure = self._polarity == _POLARITY_SURE
        if polarity >= _UPRIGHT:
            self._polarity = min(self._polarity + 1, _POLARITY_SURE)
        elif is_sure and polarity <= _UPSIDE_DOWN_LATER:
            self._polarity = 1  # this window gives no value, and the next such one decides
            return (0, 0, 0, PPG_MOTION)
        elif not is_sure and polarity <= _UPSIDE_DOWN:
            self._polarity = max(min(self._polarity, 0) - 1, -_POLARITY_SURE)
        # Between the limits the windows before decide.
        if self._polarity > 0 or (self._polarity == 0 and polarity >= _UPRIGHT_FIRST):
            return answer
        if self._polarity > -_POLARITY_SURE:
            return (0, 0, 0, PPG_MOTION)
        self.wrong_light = LIGHT_UPSIDE_DOWN
        return (0, 0, 0, PPG_SWAPPED)

    def _presence(self, now_ms: int) -> int:
        """PPG_VALID when there is a window to analyse, else why not."""
        if self._fed_ms is None:
            return PPG_ABSENT
        if now_ms - self._fed_ms >= STALE_MS:
            self.contact = None
            return PPG_STALE
        self.contact = self._in_contact
        if not self._in_contact:
            return PPG_NO_CONTACT
        if self._count < FIRST_WINDOW:
            return PPG_SETTLING
        return PPG_VALID


def _middle(values: array) -> int:
    """Median of the up to three values that are not 0; of two, their mean."""
    a = values[0]
    b = values[1]
    c = values[2]
    if not b:
        return (a + c) // 2 if c else a
    if not c:
        return (a + b) // 2
    return max(min(a, b), min(max(a, b), c))
