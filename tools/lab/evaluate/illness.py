"""The plan of one simulated patient: syndrome, other fevers, drugs, hypoxia. It is drawn before any series."""

import math
from dataclasses import dataclass, field
from random import Random

from tools.lab.evaluate.parameters import Product, value

DAY_S = 86_400
HOUR_S = 3_600


@dataclass(frozen=True)
class Wave:
    """One rise of temperature: seconds since midnight of day 0; `height_c` above the wearer's own mean."""

    start_s: float
    rise_s: float
    end_s: float
    height_c: float
    of_syndrome: bool
    fall_s: float


@dataclass(frozen=True)
class Hypoxia:
    """A time of falling saturation; it ends when people give oxygen."""

    start_s: float
    rise_s: float
    end_s: float
    nadir_pct: float


@dataclass
class Illness:
    """The plan of one patient. `doses` are antipyretics: (time, °C taken off a fever)."""

    oral_c: float
    waves: list[Wave] = field(default_factory=list)
    doses: list[tuple[float, float]] = field(default_factory=list)
    hypoxia: Hypoxia | None = None
    syndrome: tuple[float, float] | None = None  # begin and end
    is_severe: bool = False
    anticytokine_s: float | None = None


def lognormal(rng: Random, median: float, log_sd: float) -> float:
    """One draw from a lognormal distribution with this median and SD of the logarithm."""
    return median * math.exp(rng.gauss(0.0, log_sd))


def log_sd(low: float, high: float, kind: str) -> float:
    """SD of the logarithm from a published spread: quartiles, or the extremes of about a hundred people."""
    return math.log(high / low) / (1.349 if kind == "IQR" else 5.0)


def clipped(number: float, low: float, high: float) -> float:
    return min(max(number, low), high)


def poisson_times(rng: Random, per_day: float, until_s: float) -> list[float]:
    """Times of a Poisson process."""
    times = []
    t_s = rng.expovariate(per_day) * DAY_S if per_day else until_s
    while t_s < until_s:
        times.append(t_s)
        t_s += rng.expovariate(per_day) * DAY_S
    return times


def plan(rng: Random, product: Product, days: int) -> Illness:
    """Draw the plan of one patient after `product`, watched for `days` days."""
    ill = Illness(oral_c=rng.gauss(*value("oral_c")))
    until_s = days * DAY_S
    for t_s in poisson_times(rng, value("other_fever_per_day"), until_s):
        peak_c = clipped(rng.gauss(*value("other_fever_peak_c")), 37.6, 40.0)
        lasts_s = lognormal(rng, *value("other_fever_h")) * HOUR_S
        ill.waves.append(_wave(rng, ill, t_s, t_s + lasts_s, peak_c, False))
    for t_s in poisson_times(rng, value("bump_per_day"), until_s):
        lasts_s = rng.uniform(10, 40) * 60
        ill.waves.append(Wave(t_s, lasts_s / 2, t_s + lasts_s, rng.uniform(0.3, 0.9), False, 900.0))
    if rng.random() * 100 < product.any_pct:
        _syndrome(rng, ill, product)
    return ill


def _wave(rng: Random, ill: Illness, start_s: float, end_s: float, peak_c: float, of_syndrome: bool) -> Wave:
    rise_s = rng.uniform(*value("rise_h")) * HOUR_S
    height_c = peak_c - ill.oral_c
    fall_s = value("fall_h") * HOUR_S
    return Wave(start_s, rise_s, max(end_s, start_s + rise_s), height_c, of_syndrome, fall_s)


def _syndrome(rng: Random, ill: Illness, product: Product) -> None:
    median_d, low_d, high_d = product.onset_d
    onset_d = lognormal(rng, median_d, log_sd(low_d, high_d, product.onset_range))
    onset_d = clipped(onset_d, 0.1, value("onset_last_d"))
    start_s = value("infusion_h") * HOUR_S + onset_d * DAY_S
    median_d, low_d, high_d = product.duration_d
    lasts_d = lognormal(rng, median_d, log_sd(low_d, high_d, product.duration_range))
    lasts_s = DAY_S * clipped(lasts_d, 0.5, 60.0)
    ill.syndrome = start_s, start_s + lasts_s
    ill.is_severe = rng.random() < product.severe_pct / product.any_pct
    peak_c = clipped(rng.gauss(*value("peak_c")), *value("peak_limits_c"))
    fever_end_s = start_s + lasts_s * value("fever_share")
    if rng.random() < value("anticytokine_share"):
        given_s = start_s + rng.uniform(*value("anticytokine_h")) * HOUR_S
        if given_s < fever_end_s:
            ill.anticytokine_s = fever_end_s = given_s
            if rng.random() < value("recurrence_share"):
                early = rng.random() < value("recurrence_early")
                again_s = given_s + (rng.uniform(8, 24) if early else rng.uniform(24, 48)) * HOUR_S
                lasts = lognormal(rng, *value("recurrence_h")) * HOUR_S
                ill.waves.append(_wave(rng, ill, again_s, again_s + lasts, peak_c - 0.3, True))
    ill.waves.append(_wave(rng, ill, start_s, fever_end_s, peak_c, True))
    if rng.random() < value("antipyretic_share"):
        t_s = start_s + rng.uniform(*value("antipyretic_first_h")) * HOUR_S
        while t_s < fever_end_s:
            ill.doses.append((t_s, clipped(rng.gauss(*value("antipyretic_drop_c")), 0.2, 2.0)))
            t_s += rng.uniform(*value("antipyretic_every_h")) * HOUR_S
    share = product.severe_pct / product.any_pct
    others = max(0.0, value("hypoxia_share") - share) / (1 - share)
    if ill.is_severe or rng.random() < others:
        begin_s = start_s + rng.uniform(*value("hypoxia_start_h")) * HOUR_S
        rise_s = rng.uniform(*value("hypoxia_rise_h")) * HOUR_S
        lasts_s = lognormal(rng, *value("hypoxia_median_h")) * HOUR_S
        nadir_pct = clipped(rng.gauss(*value("hypoxia_nadir_pct")), 75.0, 91.5)
        ill.hypoxia = Hypoxia(begin_s, rise_s, begin_s + rise_s + lasts_s, nadir_pct)
