"""The sounds of IEC 60601-1-8 as a table, and their samples.

A burst is a row of pulses. HIGH has 3 + 2 pulses, twice; MEDIUM has 3; LOW has one and is not repeated. The standard
bounds each number (`LIMITS`); the choice within the bounds is a proposal that a clinician must sign. Each priority has
its own pitch, so that it is known at its first pulse.
"""

import math
from array import array
from typing import NamedTuple

from crs_core.codes import PRIORITY_HIGH, PRIORITY_LOW, PRIORITY_MEDIUM

RATE_HZ = 48_000
_FULL_SCALE = 32_767
# Of each component beside the fundamental, in percent: all within 15 dB of it, and together never above full scale.
_HARMONICS = ((1, 100), (2, 70), (3, 60), (4, 50), (5, 40))
_RISE_PERCENT = 15  # of the pulse; the fall takes as long


class Pattern(NamedTuple):
    """`starts_ms` are the beginnings of the pulses within the burst; `gap_ms` from its end to the next, 0: no next."""

    priority: int
    fundamental_hz: int
    pulse_ms: int
    starts_ms: tuple[int, ...]
    gap_ms: int

    @property
    def burst_ms(self) -> int:
        """From the beginning of the first pulse to the end of the last."""
        return self.starts_ms[-1] + self.pulse_ms


def _in_a_row(pulse_ms: int, pauses_ms: tuple[int, ...]) -> tuple[int, ...]:
    """Where pulses begin that have these pauses between them."""
    starts = [0]
    for pause_ms in pauses_ms:
        starts.append(starts[-1] + pulse_ms + pause_ms)
    return tuple(starts)


# The pause in the middle of five pulses is 2 x + one pulse, where x is the usual pause: 2 * 100 + 150.
_FIVE = (100, 100, 350, 100)
PATTERNS = {
    pattern.priority: pattern
    for pattern in (
        Pattern(PRIORITY_HIGH, 660, 150, _in_a_row(150, (*_FIVE, 700, *_FIVE)), 4_000),
        Pattern(PRIORITY_MEDIUM, 440, 200, _in_a_row(200, (200, 200)), 10_000),
        Pattern(PRIORITY_LOW, 330, 200, (0,), 0),
    )
}


class Limits(NamedTuple):
    """What the standard allows: pulse and gap in ms, pauses between pulses in ms; `gap_ms` None: above 15 s or none."""

    pulses: int
    pulse_ms: tuple[int, int]
    pause_ms: tuple[int, int]
    gap_ms: tuple[int, int] | None


FUNDAMENTAL_HZ = (150, 1000)
HARMONICS_LEAST, HARMONICS_HZ = 4, (300, 4000)
LIMITS = {
    PRIORITY_HIGH: Limits(10, (75, 200), (50, 125), (2_500, 15_000)),
    PRIORITY_MEDIUM: Limits(3, (125, 250), (125, 250), (2_500, 30_000)),
    PRIORITY_LOW: Limits(1, (125, 250), (125, 250), None),
}


def components_hz(pattern: Pattern) -> list[int]:
    """The frequencies that each pulse holds, the fundamental first."""
    return [pattern.fundamental_hz * times for times, _ in _HARMONICS]


def pulse(pattern: Pattern, volume_percent: int) -> "array[int]":
    """One pulse: 16-bit samples, one channel, RATE_HZ."""
    count = pattern.pulse_ms * RATE_HZ // 1000
    rise = count * _RISE_PERCENT // 100
    together = sum(part for _, part in _HARMONICS)
    loudest = _FULL_SCALE * volume_percent // 100
    samples = array("h")
    for at in range(count):
        phase = 2 * math.pi * pattern.fundamental_hz * at / RATE_HZ
        wave = sum(part * math.sin(times * phase) for times, part in _HARMONICS) / together
        edge = min(at, count - 1 - at, rise) / rise
        samples.append(round(loudest * edge * wave))
    return samples


def burst(pattern: Pattern, volume_percent: int) -> "array[int]":
    """One burst and the silence behind it, so that playing it again and again keeps the intervals."""
    one = pulse(pattern, volume_percent)
    samples = array("h", bytes(2 * ((pattern.burst_ms + pattern.gap_ms) * RATE_HZ // 1000)))
    for start_ms in pattern.starts_ms:
        at = start_ms * RATE_HZ // 1000
        samples[at : at + len(one)] = one
    return samples
