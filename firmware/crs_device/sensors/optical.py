"""The optical probe as a whole: keeps the chip running, feeds the PPG chain, reports every hole in the samples."""

from array import array

from crs_core.compat import const
from crs_device.health import PPG_LOST_SAMPLES, PPG_OVERFLOW, SENSOR_RESTART
from crs_device.sensors.max3010x import FIFO_DEPTH, LED_CURRENT_DEFAULT, SAMPLE_RATE_HZ

GAP_OVERFLOW = const(1)  # reasons of the SAMPLE_GAP record
GAP_BUS = const(2)
GAP_STALL = const(3)
STALL_MS = const(1000)  # 25 samples overdue
RESTART_MS = const(2000)


class Optical:
    """`Optical(chip, ppg, health=None)`: call `poll()` every 200 to 400 ms of board time.

    `present` is False while the chip does not answer; `fault` then says why in plain words. `resting` is True between
    `rest()` and `wake()`.
    """

    def __init__(self, chip, ppg, health=None, led_current: int = LED_CURRENT_DEFAULT) -> None:  # type: ignore[no-untyped-def]
        self._chip = chip
        self._ppg = ppg
        self._health = health
        self._led_current = led_current
        self._red = array("i", [0] * FIFO_DEPTH)
        self._infrared = array("i", [0] * FIFO_DEPTH)
        self._started = False
        self._start_tried_ms: int | None = None
        self._sample_ms = -1  # when samples last came, or the chip was started; -1 before
        self.present = False
        self.resting = False
        self.fault = ""

    def rest(self, now_ms: int) -> None:
        """Light off until `wake()`: `poll()` then leaves the bus alone, and nothing counts as lost.

        Samples not drained yet are dropped, so `poll()` first. A chip that is missing, or does not take it, goes on as
        it was: rest must not hide a fault.
        """
        if self.resting or not self.present:
            return
        try:
            self._chip.sleep()
        except OSError:
            return
        self._ppg.gap()
        self.resting = True

    def wake(self, now_ms: int) -> None:
        """Measure again with the settings from before; a chip that lost them is started afresh by the next `poll()`."""
        if not self.resting:
            return
        self.resting = False
        self._sample_ms = now_ms  # the rest was no hole
        try:
            self._chip.wake()
        except OSError as error:
            self._failed(error, now_ms)
            self._start_tried_ms = now_ms - RESTART_MS  # nothing to wait for

    def poll(self, now_ms: int) -> "tuple[int, int, int] | None":
        """Drain the chip into the PPG chain. Returns (reason GAP_*, lost samples at least, span ms) when some are lost.

        Never raises for the chip: one that stays silent for a second is started afresh, every 2 s; `fault` says why.
        """
        if self.resting:
            return None
        if not self._started:
            return self._start(now_ms)
        chip = self._chip
        since_ms = self._sample_ms
        try:
            n = chip.drain(self._red, self._infrared)
        except OSError as error:
            # One broken transfer is only counted: the next drain knows what it cost.
            if now_ms - since_ms >= STALL_MS:
                self._failed(error, now_ms)
            return None
        gap = None
        if chip.bus_lost:
            gap = self._gap(GAP_BUS, chip.bus_lost, None)
        if n:
            self._ppg.push(self._red, self._infrared, n)
            self._sample_ms = now_ms
            self.present = True
            self.fault = ""
            if chip.overflow:
                if self._health is not None:
                    self._health.count(PPG_OVERFLOW)
                # The counter stops at 31: then the time since the last drain, less the FIFO, is the better floor.
                lost = chip.overflow
                if chip.overflow_is_floor:
                    lost = max(lost, (now_ms - since_ms) * SAMPLE_RATE_HZ // 1000 - FIFO_DEPTH)
                gap = self._gap(GAP_OVERFLOW, lost, gap)
        elif now_ms - since_ms >= STALL_MS:
            self._failed(OSError("PPG sensor: no samples"), now_ms)
            self._start_tried_ms = now_ms - RESTART_MS  # it answers, so there is nothing to wait for
            self._sample_ms = now_ms
            gap = self._gap(GAP_STALL, (now_ms - since_ms) * SAMPLE_RATE_HZ // 1000, None)
        return gap

    def _start(self, now_ms: int) -> "tuple[int, int, int] | None":
        tried_ms = self._start_tried_ms
        if tried_ms is not None and now_ms - tried_ms < RESTART_MS:
            return None
        if tried_ms is not None and self._health is not None:
            self._health.count(SENSOR_RESTART)
        self._start_tried_ms = now_ms
        try:
            self._chip.start(self._led_current, self._led_current)
        except OSError as error:
            self._failed(error, now_ms)
            return None
        self._started = True
        since_ms = self._sample_ms
        self._sample_ms = now_ms
        if since_ms < 0 or since_ms == now_ms:
            return None  # the first start, or the hole was already told
        span_ms = now_ms - since_ms
        return self._gap(GAP_BUS, span_ms * SAMPLE_RATE_HZ // 1000, None)

    def _failed(self, error: OSError, now_ms: int) -> None:
        self._started = False
        self._start_tried_ms = now_ms
        self.present = False
        detail = error.args[0] if error.args else ""
        self.fault = detail if isinstance(detail, str) else "PPG sensor: no answer (error %s)" % detail
        self._ppg.gap()

    def _gap(self, reason: int, lost: int, before: "tuple[int, int, int] | None") -> "tuple[int, int, int]":
        self._ppg.gap(lost * 1000 // SAMPLE_RATE_HZ)
        if self._health is not None:
            self._health.count(PPG_LOST_SAMPLES, lost)
        if before is not None:
            lost += before[1]
        return (reason, lost, lost * 1000 // SAMPLE_RATE_HZ)
