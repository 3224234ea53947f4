"""The optical probe: keeps the chip running and the light right, feeds the PPG chain, and reports every gap."""

from array import array

from crs_core.compat import const
from crs_core.codes import FAULT_WRONG_PART, SUBSYSTEM_PPG
from crs_core.units import PPG_NO_CONTACT, PPG_NO_PULSE, PPG_SATURATED, PPG_SWAPPED, PPG_VALID
from crs_device.health import (
    PPG_AMBIENT,
    PPG_FULL_SCALE,
    PPG_LIGHT_CHANGE,
    PPG_LOST_SAMPLES,
    PPG_OVERFLOW,
    PPG_SWAPPED_LIGHTS,
    SENSOR_RESTART,
    Health,
)
from crs_device.sensors.agc import LED_START, Agc
from crs_device.sensors.sample_clock import OFF_MAX, TOLERANCE, SampleClock
from crs_device.signal.ppg import LIGHT_ALIKE, LIGHT_EXCHANGED, LIGHT_UPSIDE_DOWN

# What the PPG chain needs of every chip; a driver for another rate or width has to convert.
SAMPLE_RATE_HZ = const(25)
FULL_SCALE = const(262_143)
FIFO_MAX = const(32)  # samples that one drain returns at most

GAP_OVERFLOW = const(1)  # reasons of the SAMPLE_GAP record
GAP_BUS = const(2)
GAP_STALL = const(3)
STALL_MS = const(1000)  # then 25 samples are overdue
RESTART_MS = const(2000)
BLIND_MS = const(4500)  # after ambient overflow, until the chain's window holds no such sample
_MIXED = const(2)  # samples that are under way when the light changes
_WRONG_LIGHT = {
    LIGHT_EXCHANGED: "lights swapped? change setting ppg_channels",
    LIGHT_UPSIDE_DOWN: "light rises with the pulse: check the sensor",
    LIGHT_ALIKE: "red is a copy of infrared: check the sensor",
}


class Optical:
    """`Optical(chip, ppg, health, red, infrared)`: `poll()` every 200 to 400 ms of board time, `vitals()` each second.

    `red` and `infrared` are the currents to begin with, in 0.2 mA. `now` gives the board's ms, by which a program is
    noticed that stood still within a drain. `present` is False while the chip does not answer; `fault` then says why in
    plain words. `contact`: as the chain's, of the last `vitals()`. `resting` is True between
    `rest()` and `wake()`.
    """

    def __init__(  # type: ignore[no-untyped-def]
        self,
        chip,
        ppg,
        health=None,
        red: int = LED_START,
        infrared: int = LED_START,
        bus=None,
        is_swapped=False,
        now=None,
    ) -> None:
        self._chip = chip
        self._bus = bus
        self._is_swapped = is_swapped
        self._now = now
        self._ppg = ppg
        self._health = health if health is not None else Health()
        self.agc = Agc(red, infrared)
        self.clock = SampleClock()
        self._red = array("i", [0] * FIFO_MAX)
        self._infrared = array("i", [0] * FIFO_MAX)
        self._started = False
        self._start_tried_ms: int | None = None
        self._sample_ms = -1  # when samples last came, or the chip was started; -1 before
        self._blind_ms = -1  # when there was last too much ambient light
        self._missed = False  # the last drain failed
        self._light_due = False
        self._mixed = 0  # samples still to drop after a change of light
        self._state = PPG_NO_CONTACT
        self.contact: bool | None = None
        self.present = False
        self.resting = False
        self.fault = ""

    def rest(self, now_ms: int) -> None:
        """Light off until `wake()`: `poll()` then leaves the bus alone, and nothing counts as lost.

        Samples not drained yet are dropped, so `poll()` first. A chip that is missing, or does not take it, goes on as
        it was: a rest must not hide a fault.
        """
        if self.resting or not self.present:
            return
        try:
            self._chip.sleep()
        except OSError:
            return
        self._ppg.gap()
        self.clock.restart()
        self.resting = True

    def wake(self, now_ms: int) -> None:
        """Measure again with the settings from before; a chip that lost them is started afresh by the next `poll()`."""
        if not self.resting:
            return
        self.resting = False
        self._sample_ms = now_ms  # the rest was no gap
        try:
            self._chip.wake()
        except OSError as error:
            self._failed(error, now_ms)
            self._start_tried_ms = now_ms - RESTART_MS  # try again at once

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
            self._time_drain(chip.fifo_depth, now_ms)
            # One broken transfer is only counted; the next drain knows how many samples it cost.
            if self._missed and now_ms - since_ms >= STALL_MS:
                self._failed(error, now_ms)
            self._missed = True
            return None
        self._missed = False
        self._time_drain(n, now_ms)
        gap = None
        if chip.overflow_is_floor:
            self.clock.restart()
        if n or chip.bus_lost:
            was_off = abs(self.clock.permille - 1000)
            self.clock.count(n + chip.bus_lost + chip.overflow, now_ms)
            if abs(self.clock.permille - 1000) > TOLERANCE >= was_off:
                detail = "runs at %d/1000 of its rate: no heart rate" % self.clock.permille
                self._health.fault(SUBSYSTEM_PPG, FAULT_WRONG_PART, detail)
        since = (now_ms - since_ms) * SAMPLE_RATE_HZ // 1000
        if chip.bus_lost:
            lost = chip.bus_lost
            if chip.overflow_is_floor and not n:
                lost = max(lost, since - chip.fifo_depth)
            gap = self._gap(GAP_BUS, lost, None)
            self._sample_ms = now_ms  # the chip is converting
        if n:
            self._take(n, now_ms)
            self._sample_ms = now_ms
            self.present = True
            self.fault = ""
            if chip.overflow:
                self._health.count(PPG_OVERFLOW)
                # The counter stops at 31. Then the time since the last drain, less the FIFO, is the better lower bound.
                lost = chip.overflow
                if chip.overflow_is_floor:
                    lost = max(lost, since - chip.fifo_depth - chip.bus_lost)
                gap = self._gap(GAP_OVERFLOW, lost, gap)
            elif n >= chip.fifo_depth:
                # Full: what came between the look at its counters and the burst was not counted.
                self._ppg.gap()
                self.clock.restart()
            if abs(self.clock.permille - 1000) > OFF_MAX:
                self._failed(OSError("PPG sensor: runs at %d/1000 of its rate" % self.clock.permille), now_ms)
        elif not gap and now_ms - since_ms >= STALL_MS:
            self._failed(OSError("PPG sensor: no samples"), now_ms)
            self._start_tried_ms = now_ms - RESTART_MS  # it answers, so try again at once
            self._sample_ms = now_ms
            gap = self._gap(GAP_STALL, (now_ms - since_ms) * SAMPLE_RATE_HZ // 1000, None)
        return gap

    def vitals(self, now_ms: int) -> "tuple[int | None, int | None, int | None, int]":
        """The chain's values, corrected by what only the probe knows: ambient light, open air, the chip's clock."""
        spo2_tenths, hr_bpm, pi_hundredths, state = self._ppg.vitals(now_ms)
        self.contact = self._ppg.contact
        if self.contact and self._blind_ms >= 0 and now_ms - self._blind_ms <= BLIND_MS:
            spo2_tenths = hr_bpm = pi_hundredths = None
            state = PPG_SATURATED
        elif state == PPG_NO_PULSE and self.agc.doubtful:
            # A sheet of paper before the window, lit to a finger's level. Without a pulse it does not count as skin.
            self.contact = False
            pi_hundredths = None
            state = PPG_NO_CONTACT
        elif state == PPG_SWAPPED and self._state != PPG_SWAPPED:
            self._health.count(PPG_SWAPPED_LIGHTS)
            self._health.fault(SUBSYSTEM_PPG, FAULT_WRONG_PART, _WRONG_LIGHT[self._ppg.wrong_light])
        hr_bpm = self.clock.corrected(hr_bpm)
        self._state = state
        return (spo2_tenths, hr_bpm, pi_hundredths, state)

    def _time_drain(self, n: int, now_ms: int) -> None:
        """Tell the chip whether its FIFO may have been full before the burst that took `n` samples."""
        if self._now is not None:
            spent_ms = self._now() - now_ms
            self._chip.was_slow = spent_ms * SAMPLE_RATE_HZ // 1000 + n + 1 >= self._chip.fifo_depth

    def _take(self, n: int, now_ms: int) -> None:
        """Give a burst to the chain unless its light was wrong, and adjust the light."""
        red = self._red
        infrared = self._infrared
        mixed = min(self._mixed, n)
        if mixed:
            self._mixed -= mixed
            n -= mixed
            for i in range(n):
                red[i] = red[i + mixed]
                infrared[i] = infrared[i + mixed]
            if n == 0:
                return
        if max(red[n - 1], infrared[n - 1]) == FULL_SCALE:
            self._health.count(PPG_FULL_SCALE)
        if self._chip.ambient_overflow:
            self._blind_ms = now_ms
            self._health.count(PPG_AMBIENT)  # dimming our own light would not help
        elif not self._light_due and self.agc.step(
            red[n - 1], infrared[n - 1], self._state == PPG_VALID, now_ms
        ):
            self._light_due = True
            self._health.count(PPG_LIGHT_CHANGE)
        if self._light_due:
            # These samples were taken in a light that was wrong.
            self._shine()
        else:
            self._ppg.push(red, infrared, n)

    def _shine(self) -> None:
        agc = self.agc
        try:
            self._chip.set_light(agc.red, agc.infrared, agc.range)
        except OSError:
            return  # it is tried again after the next burst
        self._light_due = False
        self._mixed = _MIXED
        self._ppg.gap()

    def _start(self, now_ms: int) -> "tuple[int, int, int] | None":
        tried_ms = self._start_tried_ms
        if tried_ms is not None and now_ms - tried_ms < RESTART_MS:
            return None
        if tried_ms is not None:
            self._health.count(SENSOR_RESTART)
        self._start_tried_ms = now_ms
        try:
            if self._chip is None:
                # needed only until a chip answers: it unloads itself, to save heap
                from crs_device.sensors.drivers import optical

                self._chip = optical(self._bus, self._is_swapped)
            self._chip.start(self.agc.red, self.agc.infrared, self.agc.range)
        except (OSError, ImportError, MemoryError) as error:
            # A driver that is missing, or for which there is no heap now, must not cost the other sensor.
            self._failed(error, now_ms)
            return None
        self._started = True
        self._light_due = False
        self._mixed = 0
        self.clock = SampleClock()
        since_ms = self._sample_ms
        self._sample_ms = now_ms
        if since_ms < 0 or since_ms == now_ms:
            return None  # the first start, or the gap was reported already
        span_ms = now_ms - since_ms
        return self._gap(GAP_BUS, span_ms * SAMPLE_RATE_HZ // 1000, None)

    def _failed(self, error: Exception, now_ms: int) -> None:
        self._started = False
        self._start_tried_ms = now_ms
        self.present = False
        detail = error.args[0] if error.args else ""
        self.fault = detail if isinstance(detail, str) else "PPG sensor: no answer (error %s)" % detail
        self._ppg.gap()

    def _gap(self, reason: int, lost: int, before: "tuple[int, int, int] | None") -> "tuple[int, int, int]":
        self._ppg.gap(lost * 1000 // SAMPLE_RATE_HZ)
        self._health.count(PPG_LOST_SAMPLES, lost)
        if before is not None:
            lost += before[1]
        return (reason, lost, lost * 1000 // SAMPLE_RATE_HZ)
