"""The measurements of one simulated patient's wearable every ten seconds: values, states, wear.

The states come from the firmware's own parts (crs_device.sensors), at this step instead of each second.
"""

from array import array
from dataclasses import dataclass
from random import Random

from crs_core import units
from crs_device.sensors import thermometer as limits
from crs_device.sensors.settling import Settling

from tools.lab.evaluate.body import STEP_S, Body, is_asleep, slow_wander, wander
from tools.lab.evaluate.illness import DAY_S, HOUR_S, Illness, clipped, poisson_times
from tools.lab.evaluate.parameters import value

_SETTLE_PPG_S = 20
_READINGS = STEP_S  # the firmware averages a reading each second
NONE = -1


@dataclass
class Worn:
    """Sensor series by step; a value that was not measured is NONE. `site_cc` is the truth under the arm."""

    temp_cc: array  # type: ignore[type-arg]
    temp_state: array  # type: ignore[type-arg]
    spo2_tenths: array  # type: ignore[type-arg]
    hr_bpm: array  # type: ignore[type-arg]
    ppg_state: array  # type: ignore[type-arg]
    wear: array  # type: ignore[type-arg]
    site_cc: array  # type: ignore[type-arg]


def wear(rng: Random, ill: Illness, body: Body, days: int) -> Worn:
    """Draw the sensor series over the truth."""
    steps = days * DAY_S // STEP_S
    off = _mark(steps, _gaps(rng, days))
    temp_cc, temp_state, site_cc = _thermometer(rng, ill, body, days, off)
    ppg_state = _optical(rng, days, off)
    bias = rng.gauss(0.0, value("spo2_bias_pct"))
    drift = slow_wander(rng, days * 1440, *value("spo2_wander_pct"))
    noise = wander(rng, steps, *value("spo2_noise_pct"), STEP_S)
    spo2, hr = array("h", [NONE]) * steps, array("h", [NONE]) * steps
    for i in range(steps):
        if ppg_state[i] == units.PPG_VALID:
            error = bias + drift[i * STEP_S // 60] + noise[i]
            spo2[i] = min(max(body.spo2_tenths[i] + round(10 * error), units.SPO2_MIN_TENTHS), 1000)
            hr[i] = body.hr_bpm[i] + round(rng.gauss(0.0, 1.5))
    worn = array("b", [units.WEAR_OFF if one else units.WEAR_WORN for one in off])
    return Worn(temp_cc, temp_state, spo2, hr, ppg_state, worn, site_cc)


def _gaps(rng: Random, days: int) -> list[tuple[float, float]]:
    """(begin, end) of every time off the body."""
    gaps = []
    for day in range(days):
        at_s = day * DAY_S + rng.uniform(7.0, 9.0) * HOUR_S
        gaps.append((at_s, at_s + 60 * rng.uniform(*value("shower_min"))))
        if day % 2:
            at_s = day * DAY_S + rng.uniform(19.0, 22.0) * HOUR_S
            gaps.append((at_s, at_s + 60 * rng.uniform(*value("charge_min"))))
    for at_s in poisson_times(rng, value("other_off_per_day"), days * DAY_S):
        gaps.append((at_s, at_s + 60 * rng.uniform(5, 30)))
    return gaps


def _mark(steps: int, spans: list[tuple[float, float]]) -> bytearray:
    marks = bytearray(steps)
    for begin_s, end_s in spans:
        for step in range(max(int(begin_s) // STEP_S, 0), min(int(end_s) // STEP_S + 1, steps)):
            marks[step] = 1
    return marks


def _disturbances(rng: Random, ill: Illness, days: int) -> list[float]:
    """°C added to the temperature under the arm, by minute."""
    added = [0.0] * (days * 1440)

    def put(begin_s: float, minutes: float, by_c: float) -> None:
        for minute in range(int(begin_s) // 60, min(int(begin_s / 60 + minutes), len(added))):
            added[minute] += by_c

    for t_s in poisson_times(rng, value("open_arm_per_day") * 24 / 16, days * DAY_S):
        minutes, by_c = rng.uniform(3, 20), -rng.uniform(1.0, 2.5)
        if not is_asleep(t_s):
            put(t_s, minutes, by_c)
    for wave in ill.waves:
        if wave.fall_s >= HOUR_S and rng.random() < value("chill_share"):
            put(wave.start_s + 0.2 * wave.rise_s, rng.uniform(20, 60), -rng.uniform(0.5, 1.0))
    for day in range(days):
        if rng.random() < value("warm_bed_share"):
            put(day * DAY_S + rng.uniform(0.0, 5.0) * HOUR_S, rng.uniform(60, 180), rng.uniform(0.2, 0.4))
    return added


def _thermometer(rng: Random, ill: Illness, body: Body, days: int, off: bytearray) -> tuple:  # type: ignore[type-arg]
    steps = len(off)
    offset_c = rng.gauss(*value("axilla_offset_c"))
    slow = slow_wander(rng, days * 1440, *value("axilla_wander_c"))
    added = _disturbances(rng, ill, days)
    follow = min(STEP_S / rng.uniform(*value("probe_tau_s")), 1.0)
    room_cc, noise_cc = 100 * value("room_c"), value("probe_noise_cc")
    values, states, site = array("h"), array("b"), array("h")
    state = Contact()
    probe_cc = room_cc
    for i in range(steps):
        minute = i * STEP_S // 60
        site_cc = body.oral_cc[i] + 100 * (offset_c + slow[minute] + added[minute])
        site.append(round(site_cc))
        probe_cc += ((room_cc if off[i] else site_cc) - probe_cc) * follow
        error_cc = rng.gauss(0.0, noise_cc)
        seen_cc = round(probe_cc + error_cc)
        mean_mc = round(10 * (probe_cc + error_cc / _READINGS**0.5))
        values.append(seen_cc)
        states.append(units.TEMP_OFF_BODY if off[i] else state.take(seen_cc, mean_mc))
        if off[i]:
            state = Contact()
    return values, states, site


class Contact:
    """The firmware's own judgement of a probe on the body; one step of this model is one of its blocks."""

    def __init__(self) -> None:
        self._age_s = 0
        self._settling = Settling()

    def take(self, seen_cc: int, mean_mc: int | None = None) -> int:
        """TEMP_* of the next value; `mean_mc` is the mean of the step's readings in 0.001 °C, by default the value."""
        if not self._age_s and seen_cc < limits.ON_BODY_CC:
            return units.TEMP_OFF_BODY
        self._age_s += STEP_S
        self._settling.add(10 * seen_cc if mean_mc is None else mean_mc)
        return self._settling.judge(seen_cc, 1000 * self._age_s)


def _optical(rng: Random, days: int, off: bytearray) -> array:  # type: ignore[type-arg]
    steps = len(off)
    states = array("b", [units.PPG_VALID]) * steps

    def put(begin_s: float, lasts_s: float, state: int) -> None:
        for step in range(int(begin_s) // STEP_S, min(int(begin_s + lasts_s) // STEP_S + 1, steps)):
            states[step] = state

    awake_per_h = value("motion_per_h")
    for t_s in poisson_times(rng, 24 * awake_per_h, days * DAY_S):
        lasts_s, chance = rng.uniform(20, 120), rng.random()
        if not is_asleep(t_s) or chance < 0.3 / awake_per_h:
            put(t_s, lasts_s, units.PPG_MOTION)
    for t_s in poisson_times(rng, value("low_perfusion_per_day"), days * DAY_S):
        put(t_s, rng.uniform(2, 20) * 60, units.PPG_LOW_PERFUSION)
        if rng.random() < value("no_pulse_share"):
            put(t_s, rng.uniform(10, 40), units.PPG_NO_PULSE)
    worn_s = 0
    for i in range(steps):
        worn_s = 0 if off[i] else worn_s + STEP_S
        if off[i]:
            states[i] = units.PPG_NO_CONTACT
        elif clipped(worn_s, 0, _SETTLE_PPG_S + 1) <= _SETTLE_PPG_S:
            states[i] = units.PPG_SETTLING
    return states
