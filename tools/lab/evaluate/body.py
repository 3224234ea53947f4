"""The body of one simulated patient: the true values every ten seconds, as integers, without any sensor."""

import math
from array import array
from dataclasses import dataclass
from random import Random

from tools.lab.evaluate.illness import DAY_S, HOUR_S, Illness, Wave, clipped, lognormal, poisson_times
from tools.lab.evaluate.parameters import value

STEP_S = 10
PER_MIN = 60 // STEP_S
WAKE_H = 7
SLEEP_H = 23
KNOT_MIN = 30
_DOSE_S = 6 * HOUR_S


@dataclass
class Body:
    """Truth by step: oral 0.01 °C, saturation 0.1 %, heart rate 1/min."""

    oral_cc: array  # type: ignore[type-arg]
    spo2_tenths: array  # type: ignore[type-arg]
    hr_bpm: array  # type: ignore[type-arg]


def wander(rng: Random, count: int, sd: float, tau_s: float, dt_s: float) -> list[float]:
    """`count` values of a stationary random walk around zero (Ornstein-Uhlenbeck)."""
    keep = math.exp(-dt_s / tau_s)
    kick = sd * math.sqrt(1 - keep * keep)
    now = rng.gauss(0.0, sd)
    out = []
    for _ in range(count):
        out.append(now)
        now = now * keep + rng.gauss(0.0, kick)
    return out


def slow_wander(rng: Random, minutes: int, sd: float, tau_h: float) -> list[float]:
    """Like `wander`, by minute and smooth between knots 30 min apart, because a body's temperature changes slowly."""
    knots = wander(rng, minutes // KNOT_MIN + 2, sd, tau_h * HOUR_S, KNOT_MIN * 60)
    out = []
    for minute in range(minutes):
        share = minute % KNOT_MIN / KNOT_MIN
        here, there = knots[minute // KNOT_MIN], knots[minute // KNOT_MIN + 1]
        out.append(here + (there - here) * share * share * (3 - 2 * share))
    return out


def is_asleep(t_s: float) -> bool:
    """True from SLEEP_H to WAKE_H."""
    hour = t_s % DAY_S / HOUR_S
    return hour >= SLEEP_H or hour < WAKE_H


def shape(wave: Wave, t_s: float) -> float:
    """Share of a wave's height at a moment, 0..1."""
    if t_s <= wave.start_s:
        return 0.0
    share = min((t_s - wave.start_s) / wave.rise_s, 1.0)
    share = share * share * (3 - 2 * share)
    return share if t_s <= wave.end_s else share * math.exp((wave.end_s - t_s) / wave.fall_s)


def dose_effect(age_s: float) -> float:
    """Share of an antipyretic dose's effect `age_s` after it, 0..1."""
    if not 0 < age_s < _DOSE_S:
        return 0.0
    return min(age_s / HOUR_S, 1.0, (_DOSE_S - age_s) / (3 * HOUR_S))


def live(rng: Random, ill: Illness, days: int) -> Body:
    """Draw the true values of `days` days."""
    minutes = days * 1440
    circadian_c = rng.uniform(*value("circadian_c"))
    own = slow_wander(rng, minutes, *value("oral_wander_c"))
    hot = slow_wander(rng, minutes, *value("fever_wander_c"))
    oral, fever = [], []
    for minute in range(minutes):
        t_s = minute * 60
        rise = lead = 0.0
        for wave in ill.waves:
            part = shape(wave, t_s)
            if part > 0.001:
                rise = max(rise, part * wave.height_c)  # fevers do not add up
                lead = max(lead, part if wave.fall_s >= HOUR_S else 0.0)
        if rise:
            rise += lead * hot[minute]
            rise -= max((drop_c * dose_effect(t_s - at_s) for at_s, drop_c in ill.doses), default=0.0)
            rise = max(rise, 0.0)
        fever.append(rise)
        day_part = circadian_c * math.cos(2 * math.pi * (t_s / HOUR_S - 18) / 24)
        oral.append(100 * min(ill.oral_c + day_part + own[minute] + rise, 42.0))
    return Body(_fine(oral), _saturation(rng, ill, days), _heart(rng, ill, days, fever))


def _fine(by_minute: list[float]) -> array:  # type: ignore[type-arg]
    out = array("h")
    for i, here in enumerate(by_minute):
        slope = ((by_minute[i + 1] if i + 1 < len(by_minute) else here) - here) / PER_MIN
        out.extend(round(here + slope * k) for k in range(PER_MIN))
    return out


def _saturation(rng: Random, ill: Illness, days: int) -> array:  # type: ignore[type-arg]
    own_pct = clipped(rng.gauss(*value("spo2_pct")), 94.0, 99.0)
    slow = wander(rng, days * 1440, 0.3, 1800, 60)
    dips: dict[int, float] = {}
    least, beyond = value("dip_depth_pct")
    for t_s in poisson_times(rng, 24 * lognormal(rng, *value("dip_per_h")), days * DAY_S):
        lasts, depth = rng.randint(2, 4), least + rng.expovariate(1 / beyond)
        if is_asleep(t_s):
            dips.update({int(t_s) // STEP_S + k: depth for k in range(lasts)})
    out = array("h")
    for step in range(days * DAY_S // STEP_S):
        t_s = step * STEP_S
        pct = own_pct + slow[t_s // 60] - (1.0 if is_asleep(t_s) else 0.0) - dips.get(step, 0.0)
        if ill.hypoxia and t_s > ill.hypoxia.start_s:
            h = ill.hypoxia
            part = min((t_s - h.start_s) / h.rise_s, 1.0) * clipped(1 - (t_s - h.end_s) / 1200, 0.0, 1.0)
            pct -= part * max(own_pct - h.nadir_pct, 0.0)
        out.append(round(10 * clipped(pct, 55.0, 100.0)))
    return out


def _heart(rng: Random, ill: Illness, days: int, fever: list[float]) -> array:  # type: ignore[type-arg]
    own = rng.gauss(*value("hr_bpm"))
    slow = wander(rng, days * 1440, 3.0, 900, 60)
    busy: dict[int, float] = {}
    for t_s in poisson_times(rng, value("activity_per_day") * 24 / 16, days * DAY_S):
        minutes, more = rng.randint(3, 15), rng.uniform(15, 45)
        if not is_asleep(t_s):
            busy.update({int(t_s) // 60 + k: more for k in range(minutes)})
    out = array("h")
    for minute in range(days * 1440):
        t_s = minute * 60
        bpm = own + slow[minute] - (8 if is_asleep(t_s) else 0) + value("hr_per_c") * fever[minute]
        if ill.is_severe and ill.syndrome and ill.syndrome[0] < t_s < ill.syndrome[1]:
            bpm += value("hr_severe_bpm") * min(fever[minute], 1.0)
        bpm = clipped(bpm + busy.get(minute, 0.0), 35, 190)
        out.extend([round(bpm)] * PER_MIN)
    return out
