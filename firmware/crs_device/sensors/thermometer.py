"""What the thermometer may claim: its value, whether it is on a body, and whether it has settled.

The raw value is always kept; the state says whether it may be graded. A probe that was just put on warms up and reads
below the body, so a value counts only after a minimum time of contact *and* once it has stopped moving; except that a
warming probe at or above 38.00 °C already tells of a fever, since the body is at least as warm. Once settled, a rise
counts at once, however fast, and a fall (an arm lifted, a probe that slips) does not until it stops. Numbers marked †
are proposals a clinician or the probe's maker must sign.
"""

from array import array

from crs_core.compat import const
from crs_core.units import (
    TEMP_ABSENT,
    TEMP_FLAT,
    TEMP_MAX_CC,
    TEMP_OFF_BODY,
    TEMP_OUT_OF_RANGE,
    TEMP_SETTLING,
    TEMP_STALE,
    TEMP_VALID,
)
from crs_device.health import SENSOR_RESTART, TEMP_FAIL

ON_BODY_CC = const(3050)  # † coming from below, at or above this the probe touches a body
OFF_BODY_CC = const(2950)  # † coming from above, below this it does not
LEFT_CC = const(100)  # † a fall of 1.00 °C within the window: no body cools so fast, the probe has left it
RETURN_CC = const(30)  # † and this much above the lowest since then: it is back
AMBIENT_MIN_CC = const(500)  # colder than any room a patient is in: a fault, not "off the body"
PERIOD_MS = const(1000)
MIN_CONTACT_MS = const(45000)  # † never settled before this
SETTLE_WINDOW_S = const(30)
SETTLE_MAX_CC = const(10)  # † largest change over the window of a settled probe: 0.10 °C in 30 s
WARMING_COUNTS_CC = const(3800)  # at or above this a probe that still warms is believed
STALE_MS = const(10000)
PAUSE_MS = const(30000)  # † readings missing for longer: nobody knows whether the probe stayed on
FLAT_MS = const(600000)  # † this long bit-identical: a converter averaging a live body is never that still
RESTART_MS = const(2000)  # between attempts to start a chip that failed


class Thermometer:
    """`Thermometer(chip, health=None)`: `chip` has `start()`, `read_cc()` and `code`. Call `poll()` each second.

    `temp_cc` is the last raw value (None: never any). All times are ms of the clock given to `poll()`.
    """

    def __init__(self, chip, health=None) -> None:  # type: ignore[no-untyped-def]
        self._chip = chip
        self._health = health
        self._started = False
        self._start_tried_ms: int | None = None
        self._read_ms = 0
        self._code = -1
        self._code_since_ms = 0
        self._contact_since_ms: int | None = None
        self._settled = False  # stopped moving at least once in this contact
        self._left_low_cc: int | None = None  # lowest value since the probe left a body, while still warm
        self._recent = array("i", [0] * (SETTLE_WINDOW_S + 1))
        self._recent_n = 0
        self._recent_at = 0
        self._sampled_ms = 0
        self.temp_cc: int | None = None
        self.fault = ""  # plain words while the chip cannot be used

    def poll(self, now_ms: int) -> bool:
        """Start the chip if needed and take a new conversion; True when there was one. Never raises for the chip."""
        if not self._started and not self._start(now_ms):
            return False
        try:
            temp_cc = self._chip.read_cc()
        except OSError as error:
            self._failed(error, now_ms)
            return False
        self.fault = ""
        if temp_cc is None:
            return False
        self._take(temp_cc, self._chip.code, now_ms)
        return True

    def age_ms(self, now_ms: int) -> int | None:
        """Age of `temp_cc`; None without one."""
        return None if self.temp_cc is None else now_ms - self._read_ms

    def on_body(self, now_ms: int) -> bool | None:
        """Whether the probe touches a body; None when it cannot tell."""
        state = self.state(now_ms)
        if state == TEMP_OFF_BODY:
            return False
        if state in (TEMP_ABSENT, TEMP_STALE, TEMP_OUT_OF_RANGE, TEMP_FLAT):
            return None
        return True

    def state(self, now_ms: int) -> int:
        """TEMP_* of `temp_cc` at `now_ms`; only TEMP_VALID may be graded."""
        temp_cc = self.temp_cc
        if temp_cc is None:
            return TEMP_ABSENT
        if now_ms - self._read_ms > STALE_MS:
            return TEMP_ABSENT if self.fault else TEMP_STALE
        if temp_cc > TEMP_MAX_CC or temp_cc < AMBIENT_MIN_CC:
            return TEMP_OUT_OF_RANGE
        if self._contact_since_ms is None:
            return TEMP_OFF_BODY
        if now_ms - self._code_since_ms >= FLAT_MS:
            return TEMP_FLAT
        if now_ms - self._contact_since_ms < MIN_CONTACT_MS or self._recent_n <= SETTLE_WINDOW_S:
            return TEMP_SETTLING
        change_cc = self._change()
        if change_cc < -SETTLE_MAX_CC:
            return TEMP_SETTLING
        if change_cc <= SETTLE_MAX_CC or self._settled or temp_cc >= WARMING_COUNTS_CC:
            return TEMP_VALID
        return TEMP_SETTLING

    def _start(self, now_ms: int) -> bool:
        tried_ms = self._start_tried_ms
        if tried_ms is not None and now_ms - tried_ms < RESTART_MS:
            return False
        if tried_ms is not None and self._health is not None:
            self._health.count(SENSOR_RESTART)
        self._start_tried_ms = now_ms
        try:
            self._chip.start()
        except OSError as error:
            self._failed(error, now_ms)
            return False
        self._started = True
        return True

    def _failed(self, error: OSError, now_ms: int) -> None:
        self._started = False
        self._start_tried_ms = now_ms
        detail = error.args[0] if error.args else ""
        self.fault = detail if isinstance(detail, str) else "thermometer: no answer (error %s)" % detail
        if self._health is not None:
            self._health.count(TEMP_FAIL)

    def _take(self, temp_cc: int, code: int, now_ms: int) -> None:
        pause_ms = now_ms - self._read_ms
        was_stale = self.temp_cc is None or pause_ms > STALE_MS
        # A probe that left the body would be cooler after so long; one that is not has stayed on it.
        was_away = was_stale and (pause_ms > PAUSE_MS or temp_cc < (self.temp_cc or 0) - SETTLE_MAX_CC)
        self.temp_cc = temp_cc
        self._read_ms = now_ms
        if code != self._code or was_stale:
            self._code = code
            self._code_since_ms = now_ms
        if temp_cc > TEMP_MAX_CC or temp_cc < (ON_BODY_CC if self._contact_since_ms is None else OFF_BODY_CC):
            self._contact_since_ms = self._left_low_cc = None
            return
        if self._left_low_cc is not None:
            self._left_low_cc = min(self._left_low_cc, temp_cc)
            if temp_cc < self._left_low_cc + RETURN_CC:
                return
            self._left_low_cc = None
        if self._contact_since_ms is None or was_away:
            self._contact_since_ms = now_ms
            self._settled = False
            self._recent_n = self._recent_at = 0
            self._sampled_ms = now_ms - PERIOD_MS
        # One entry per second of the clock, however often the chip was asked; a pause leaves the oldest standing.
        if now_ms - self._sampled_ms >= PERIOD_MS * 9 // 10:
            self._sampled_ms = now_ms
            self._recent[self._recent_at] = temp_cc
            self._recent_at = (self._recent_at + 1) % (SETTLE_WINDOW_S + 1)
            self._recent_n = min(self._recent_n + 1, SETTLE_WINDOW_S + 1)
            if self._recent_n > SETTLE_WINDOW_S and abs(self._change()) <= SETTLE_MAX_CC:
                self._settled = self._settled or now_ms - self._contact_since_ms >= MIN_CONTACT_MS
        if self._highest() - temp_cc >= LEFT_CC:
            self._left_low_cc = temp_cc
            self._contact_since_ms = None

    def _highest(self) -> int:
        highest = 0
        for i in range(self._recent_n):  # full or not, the first entries are the ones in use
            if self._recent[i] > highest:
                highest = self._recent[i]
        return highest

    def _change(self) -> int:
        """Change over the whole window; only once the ring is full."""
        newest = self._recent[self._recent_at - 1]  # index -1 is the last entry: the ring just wrapped
        return newest - self._recent[self._recent_at]
