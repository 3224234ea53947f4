"""What the thermometer may claim: a value, whether it is on a body, and whether it shows that body's temperature.

The raw value is always kept; the state says whether it may be graded. Contact is judged here, settling and artefacts in
settling.py. A value counts once its course has ended; but a warming probe at or above 38.00 °C already shows a fever.
Once settled, a rise counts at once, however fast. A fast fall (an open arm, a slipping probe, chill) is an artefact
until the probe is back, or has stayed there for long. Numbers marked † are proposals that a clinician or the maker of
the probe must sign.
"""

from crs_core.compat import const
from crs_core.units import (
    TEMP_ABSENT,
    TEMP_FLAT,
    TEMP_MAX_CC,
    TEMP_OFF_BODY,
    TEMP_OUT_OF_RANGE,
    TEMP_SETTLING,
    TEMP_STALE,
)
from crs_device.health import SENSOR_RESTART, TEMP_FAIL
from crs_device.sensors.settling import Settling

ON_BODY_CC = const(3050)  # † coming from below, at or above this the probe touches a body
_OFF_BODY_CC = const(2950)  # † coming from above, below this it does not
_LEFT_CC = const(100)  # † a fall of 1.00 °C within 30 to 40 s: no body cools so fast, the probe has left it
_LEFT_BLOCKS = const(3)
_RETURN_CC = const(30)  # † this much above the lowest value since then, it is back
_STILL_CC = const(10)  # † what a probe that stayed on may have lost in a pause
_AMBIENT_MIN_CC = const(500)  # colder than any room a patient is in: a fault, not "off the body"
_BLOCK_MS = const(10000)  # what settling.py calls a block
_STALE_MS = const(10000)
_PAUSE_MS = const(30000)  # † after a longer pause nobody knows whether the probe stayed on
# † When the optical probe sees no skin for so long, the strap was off, however warm the thermometer. A shorter absence
# shows in the thermometer itself: in room air it falls by more than a degree.
BARE_MS = const(60000)
FLAT_MS = const(600000)  # † this long bit-identical: a converter averaging a live body is never that still
_RESTART_MS = const(2000)  # between attempts to start a chip that failed


class Thermometer:
    """`Thermometer(chip, health=None, bus=None)`: `chip` has `start()`, `read_cc()`, `code`. Call `poll()` each second.

    Without a chip it takes the one that answers on `bus`, as soon as one does, with `offset_cc` of its calibration.
    `temp_cc` is the last raw value (None: never any). All times are ms of the clock given to `poll()`.
    """

    def __init__(self, chip, health=None, bus=None, offset_cc: int = 0) -> None:  # type: ignore[no-untyped-def]
        self._chip = chip
        self._bus = bus
        self._offset_cc = offset_cc
        self._health = health
        self._started = False
        self._start_tried_ms: int | None = None
        self._read_ms = 0
        self._code = -1
        self._code_since_ms = 0
        self._contact_since_ms: int | None = None
        self._settling = Settling()
        self._judged = TEMP_SETTLING  # of the last reading that touched the body
        self._bare_since_ms: int | None = None  # the optical probe sees no skin
        self._left_low_cc: int | None = None  # lowest value since the probe left a body, while still warm
        self._block_ms = 0  # of the block that is being filled: begin, sum, count, highest
        self._block_sum_cc = self._block_n = self._block_high_cc = 0
        self.temp_cc: int | None = None
        self.fault = ""  # why the chip cannot be used, in plain words

    def poll(self, now_ms: int, skin: bool | None = None) -> bool:
        """Start the chip if needed and take a new conversion; True when there was one. Never raises for the chip.

        `skin`: what the optical probe of the same strap sees now; None when it cannot tell.
        """
        self._heed(skin, now_ms)
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
        if now_ms - self._read_ms > _STALE_MS:
            return TEMP_ABSENT if self.fault else TEMP_STALE
        if temp_cc > TEMP_MAX_CC or temp_cc < _AMBIENT_MIN_CC:
            return TEMP_OUT_OF_RANGE
        if self._contact_since_ms is None:
            return TEMP_OFF_BODY
        if now_ms - self._code_since_ms >= FLAT_MS:
            return TEMP_FLAT
        return self._judged

    def _heed(self, skin: bool | None, now_ms: int) -> None:
        """A strap that was off starts a new contact once it is back, even if the thermometer stayed warm."""
        if skin is False:
            if self._bare_since_ms is None:
                self._bare_since_ms = now_ms
            return
        since_ms = self._bare_since_ms
        if (
            skin
            and since_ms is not None
            and now_ms - since_ms >= BARE_MS
            and self._contact_since_ms is not None
        ):
            self._touch(now_ms)
        self._bare_since_ms = None

    def _start(self, now_ms: int) -> bool:
        tried_ms = self._start_tried_ms
        if tried_ms is not None and now_ms - tried_ms < _RESTART_MS:
            return False
        if tried_ms is not None and self._health is not None:
            self._health.count(SENSOR_RESTART)
        self._start_tried_ms = now_ms
        try:
            if self._chip is None:
                # needed only until a chip answers: it unloads itself, to save heap
                from crs_device.sensors.drivers import thermometer

                self._chip = thermometer(self._bus, self._offset_cc)
            self._chip.start()
        except (OSError, ImportError, MemoryError) as error:
            # A driver that is missing, or for which there is no heap now, must not cost the other sensor.
            self._failed(error, now_ms)
            return False
        self._started = True
        return True

    def _failed(self, error: Exception, now_ms: int) -> None:
        self._started = False
        self._start_tried_ms = now_ms
        detail = error.args[0] if error.args else ""
        self.fault = detail if isinstance(detail, str) else "thermometer: no answer (error %s)" % detail
        if self._health is not None:
            self._health.count(TEMP_FAIL)

    def _take(self, temp_cc: int, code: int, now_ms: int) -> None:
        pause_ms = now_ms - self._read_ms
        was_stale = self.temp_cc is None or pause_ms > _STALE_MS
        # A probe that left the body would be cooler after so long; one that is not has stayed on it.
        was_away = was_stale and (pause_ms > _PAUSE_MS or temp_cc < (self.temp_cc or 0) - _STILL_CC)
        self.temp_cc = temp_cc
        self._read_ms = now_ms
        if code != self._code or was_stale:
            self._code = code
            self._code_since_ms = now_ms
        if temp_cc > TEMP_MAX_CC or temp_cc < (
            ON_BODY_CC if self._contact_since_ms is None else _OFF_BODY_CC
        ):
            self._contact_since_ms = self._left_low_cc = None
            return
        if self._left_low_cc is not None:
            self._left_low_cc = min(self._left_low_cc, temp_cc)
            if temp_cc < self._left_low_cc + _RETURN_CC:
                return
            self._left_low_cc = None
        if self._contact_since_ms is None or was_away:
            self._touch(now_ms)
        if now_ms - self._block_ms >= _BLOCK_MS:
            if self._block_n:
                self._settling.add((self._block_sum_cc * 10 + self._block_n // 2) // self._block_n)
            self._open_block(now_ms)
        self._block_sum_cc += temp_cc
        self._block_n += 1
        self._block_high_cc = max(self._block_high_cc, temp_cc)
        highest_cc = max(self._block_high_cc, self._settling.highest_mc(_LEFT_BLOCKS) // 10)
        if highest_cc - temp_cc >= _LEFT_CC:
            self._left_low_cc = temp_cc
            self._contact_since_ms = None
            return
        self._judged = self._settling.judge(temp_cc, now_ms - (self._contact_since_ms or 0))

    def _touch(self, now_ms: int) -> None:
        self._contact_since_ms = now_ms
        self._judged = TEMP_SETTLING
        self._settling.restart()
        self._open_block(now_ms)

    def _open_block(self, now_ms: int) -> None:
        self._block_ms = now_ms
        self._block_sum_cc = self._block_n = self._block_high_cc = 0
