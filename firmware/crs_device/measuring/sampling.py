"""Both sensors of this wearable together: drain them, derive values, and say what is known now.

`poll()` empties the FIFO and may be called at any time (before a flash write, too); `measure()` derives the values of
this second. Nothing here raises for a sensor: what is missing shows in the states.
"""

from crs_core.compat import const
from crs_core.units import PPG_ABSENT, PPG_RESTING
from crs_device.health import TASK_CRASH
from crs_device.measuring.vitals import NOTHING, Vitals
from crs_device.sensors.bus import Bus
from crs_device.sensors.optical import Optical
from crs_device.sensors.thermometer import Thermometer
from crs_device.sensors.wear import Wear
from crs_device.signal.ppg import Ppg

SENSOR_PPG = const(1)  # of the SAMPLE_GAP record
_LED_STEP_UA = const(200)


class Sampling:
    """`Sampling(i2c, settings, log, health, curve, temp_offset_cc, now)`: each sensor is set up alone, and again when
    it comes back. Curve and offset are the calibration's; `now` gives the board's ms.
    """

    def __init__(self, i2c, settings: dict, log, health, curve, temp_offset_cc: int, now=None) -> None:  # type: ignore[no-untyped-def,type-arg]
        self.bus = Bus(i2c, health)
        self.log = log
        self._health = health
        self._ppg = Ppg(curve)
        is_swapped = settings.get("ppg_channels") == "ir_red"
        red = settings.get("led_red_ua", 7000) // _LED_STEP_UA
        infrared = settings.get("led_ir_ua", 7000) // _LED_STEP_UA
        self.optical = Optical(None, self._ppg, health, red, infrared, self.bus, is_swapped, now)
        self.thermometer = Thermometer(None, health, self.bus, temp_offset_cc)
        self._wear = Wear()
        self.vitals = NOTHING
        self.polls = 0

    def poll(self, now_ms: int) -> None:
        """Drain the optical FIFO into the PPG chain, and note which samples were lost."""
        self.polls += 1
        gap = self.optical.poll(now_ms)
        if gap is not None:
            self.log.gap(SENSOR_PPG, gap[0], gap[1], gap[2])

    def light(self, wanted: bool, now_ms: int) -> None:
        """Let the optical sensor measure or rest."""
        if wanted:
            self.optical.wake(now_ms)
        else:
            self.optical.rest(now_ms)

    def measure(self, now_ms: int) -> Vitals:
        """Values and states at `now_ms`; call once a second. An unexpected error leaves "absent", never old values."""
        self.vitals = NOTHING
        try:
            self.thermometer.poll(now_ms, self.optical.contact if self.optical.present else None)
            spo2_tenths, hr_bpm, pi_hundredths, ppg_state = self.optical.vitals(now_ms)
            if self.optical.resting or not self.optical.present:
                spo2_tenths = hr_bpm = pi_hundredths = None
                ppg_state = PPG_RESTING if self.optical.resting else PPG_ABSENT
            wear = self._wear.update(self.optical.contact, self.thermometer.on_body(now_ms), now_ms)
            self.vitals = Vitals(
                self.thermometer.temp_cc,
                self.thermometer.state(now_ms),
                self.thermometer.age_ms(now_ms),
                spo2_tenths,
                hr_bpm,
                pi_hundredths,
                ppg_state,
                None if ppg_state in (PPG_ABSENT, PPG_RESTING) else self._ppg.behind_ms,
                wear,
            )
        except Exception as error:
            self._health.count(TASK_CRASH)
            self._health.fault(1, 1, "measure: %s" % repr(error))
        return self.vitals
