"""Two ways to find fever without the wearable's rules: a raw threshold per sample, and oral checks by the clock."""

from random import Random

from crs_core import units

from tools.lab.evaluate.body import STEP_S, Body
from tools.lab.evaluate.illness import DAY_S, HOUR_S
from tools.lab.evaluate.parameters import value
from tools.lab.evaluate.truth import FEVER_CC, Span
from tools.lab.evaluate.worn import Worn

# Hours of the day at which an oral temperature is taken.
CHECKS = {
    "checks every 4 h": (2, 6, 10, 14, 18, 22),
    "checks every 8 h": (6, 14, 22),
    "checks every 4 h, 07-22 h only": (7, 11, 15, 19),
}


def raw_threshold(worn: Worn) -> list[Span]:
    """Every run of usable axillary samples at or above 38.00 °C; an unusable sample ends a run."""
    found: list[Span] = []
    start: int | None = None
    for i, (cc, state) in enumerate(zip(worn.temp_cc, worn.temp_state, strict=True)):
        is_over = state == units.TEMP_VALID and cc >= FEVER_CC
        if is_over and start is None:
            start = i
        elif not is_over and start is not None:
            found.append(Span(start * STEP_S, i * STEP_S))
            start = None
    if start is not None:
        found.append(Span(start * STEP_S, len(worn.temp_cc) * STEP_S))
    return found


def oral_reading(rng: Random, body: Body, at_s: float) -> int | None:
    """A person's reading of an oral thermometer, in 0.01 °C rounded to 0.1 °C; None after the series."""
    i = int(at_s) // STEP_S
    if not 0 <= i < len(body.oral_cc):
        return None
    return 10 * round(body.oral_cc[i] / 10 + 10 * rng.gauss(0.0, value("thermometer_sd_c")))


def checks(rng: Random, body: Body, hours: tuple[int, ...]) -> list[int]:
    """Times at which a check read 38.0 °C or more."""
    found = []
    for day in range(len(body.oral_cc) * STEP_S // DAY_S):
        for hour in hours:
            at_s = day * DAY_S + hour * HOUR_S
            cc = oral_reading(rng, body, at_s)
            if cc is not None and cc >= FEVER_CC:
                found.append(at_s)
    return found
