"""How bright the two LEDs shine: enough for a good level on every skin, little in open air.

Gain is LED current (0.2 mA steps) x sensitivity (8 >> range; range 1 is the 4096 nA of the set-up), so a level divided
by its gain belongs to the tissue alone. Both channels are aimed at half of full scale. A change costs the chain its
window (about 4 s without values), so the band is wide, wider still while values are made, and a change waits until the
level has been outside for some polls.

Counts are not rescaled for the chain: its contact thresholds hold because gain is only raised while something is near
(`NEAR_COUNTS`), falls back to the start as soon as nothing is, and never exceeds LED_MAX at range 0, where open air
still stays below the chain's CONTACT_OFF. Numbers marked † are proposals to be measured on the assembled probe.
"""

from crs_core.compat import const

LED_START = const(36)  # 7.2 mA
REFERENCE_GAIN = const(144)  # LED_START at range 1: every count below is meant at this gain
NEAR_COUNTS = const(2000)  # † infrared; open air gives 900 through a clean window, dark skin 2600 and more
CONTACT_COUNTS = const(20000)  # below this the chain without gain control would not see contact
LED_MIN = const(5)  # 1 mA: below it a step is more than a fifth
LED_MAX = const(150)  # † 30 mA at 4.1 % duty is 1.2 mA on average: no heat to feel, and the cell bears it
WATCH_CURRENT = const(10)  # † 2 mA, infrared only: invisible, a fifth of the light's charge
WATCH_AFTER_MS = const(10000)  # † after so long with nothing near, red goes dark

_AIM = const(131072)  # 50 % of full scale
_LOW = const(91750)  # 35 %
_HIGH = const(196600)  # 75 %
_LOW_VALID = const(26214)  # 10 %: while values are made, only a level that will soon end them is worth a gap
_HIGH_VALID = const(241170)  # 92 %
_FULL = const(249000)  # 95 %: the true level is unknown
# after something came near: no values can be lost yet, so changes may follow each other
_ONSET_MS = const(4000)
_PAUSE_MS = const(5000)  # later, between two changes
_POLLS = const(2)  # in a row outside the band, at the onset
_POLLS_LATER = const(4)


class Agc:
    """`Agc(red, infrared)` with the start currents; `step()` after each burst.

    `red`, `infrared` (0.2 mA) and `range` (0..3: 2048 to 16384 nA) are what the chip should be set to. `watching`: only
    weak infrared, waiting for a finger. `doubtful`: contact rests on raised gain and no pulse has yet proved it.
    """

    def __init__(self, red: int, infrared: int) -> None:
        self._start_red = min(max(red, LED_MIN), LED_MAX)
        self._start_infrared = min(max(infrared, LED_MIN), LED_MAX)
        self._near_ms = -1  # since when something is near; -1: nothing is
        self._far_ms = -1
        self._changed_ms = 0
        self._outside = 0
        self.watching = False
        self.doubtful = False
        self.red = self._start_red
        self.infrared = self._start_infrared
        self.range = 1

    def step(self, red: int, infrared: int, is_valid: bool, now_ms: int) -> bool:
        """Take the newest counts; True when the chip must be set anew. `is_valid`: values are being made."""
        counts = infrared * REFERENCE_GAIN // (self.infrared * (8 >> self.range))
        if counts < NEAR_COUNTS:
            return self._far(now_ms)
        self._far_ms = -1
        if self._near_ms < 0:
            self._near_ms = now_ms
            self.doubtful = True
        if is_valid or counts >= CONTACT_COUNTS:
            self.doubtful = False
        if self.watching:
            self.watching = False
            return self._set(self._start_red, self._start_infrared, 1)
        low = _LOW_VALID if is_valid else _LOW
        high = _HIGH_VALID if is_valid else _HIGH
        if low <= red <= high and low <= infrared <= high:
            self._outside = 0
            return False
        self._outside += 1
        at_onset = now_ms - self._near_ms < _ONSET_MS
        if self._outside < (_POLLS if at_onset else _POLLS_LATER):
            return False
        if not at_onset and now_ms - self._changed_ms < _PAUSE_MS:
            return False
        if not self._aim(red, infrared):
            return False
        self._changed_ms = now_ms
        return True

    def _far(self, now_ms: int) -> bool:
        self._near_ms = -1
        self.doubtful = False
        if self._far_ms < 0:
            self._far_ms = now_ms
        if self.watching:
            return False
        if now_ms - self._far_ms < WATCH_AFTER_MS:
            return self._set(self._start_red, self._start_infrared, 1)
        self.watching = True
        return self._set(0, WATCH_CURRENT, 1)

    def _aim(self, red: int, infrared: int) -> bool:
        """Choose currents and range for these levels; False when they are set already."""
        sensitivity = 8 >> self.range
        red_gain = _wanted(self.red * sensitivity, red)
        infrared_gain = _wanted(self.infrared * sensitivity, infrared)
        most = max(red_gain, infrared_gain)
        least = min(red_gain, infrared_gain)
        best = 1
        if most > LED_MAX * 4 and least >= LED_MIN * 8:
            best = 0
        elif least < LED_MIN * 2:
            best = 3
        elif least < LED_MIN * 4:
            best = 2
        red = min(max(red_gain >> 3 - best, LED_MIN), LED_MAX)
        return self._set(red, min(max(infrared_gain >> 3 - best, LED_MIN), LED_MAX), best)

    def _set(self, red: int, infrared: int, full_scale: int) -> bool:
        self._outside = 0
        if red == self.red and infrared == self.infrared and full_scale == self.range:
            return False
        self.red = red
        self.infrared = infrared
        self.range = full_scale
        return True


def _wanted(gain: int, level: int) -> int:
    """The gain that brings `level` to the middle; inside the band the gain stays."""
    if _LOW <= level <= _HIGH:
        return gain
    if level >= _FULL:
        return gain >> 2
    return gain * _AIM // max(level, 1024)
