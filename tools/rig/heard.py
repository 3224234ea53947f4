"""What a microphone beside the loudspeaker would hear: pulses with their times, and the strength of one frequency."""

import math
from collections.abc import Sequence

_WINDOW_MS = 5


def loudness(samples: Sequence[int]) -> float:
    """Root mean square."""
    return math.sqrt(sum(one * one for one in samples) / len(samples)) if samples else 0.0


def strength(samples: Sequence[int], hz: float, rate_hz: int) -> float:
    """How much of this frequency is in them (Goertzel), independent of their number."""
    turn = 2 * math.cos(2 * math.pi * hz / rate_hz)
    before = last = 0.0
    for one in samples:
        before, last = last, one + turn * last - before
    power = before * before + last * last - turn * before * last
    return math.sqrt(max(0.0, power)) / len(samples)


def pulses_in(samples: Sequence[int], rate_hz: int, least: float = 0.1) -> list[tuple[float, float]]:
    """(start, length) in ms of each pulse: where it is louder than `least` of the loudest part."""
    step = rate_hz * _WINDOW_MS // 1000
    levels = [loudness(samples[at : at + step]) for at in range(0, len(samples) - step + 1, step)]
    limit = max(levels, default=0.0) * least
    found: list[tuple[float, float]] = []
    begin: int | None = None
    for index, level in enumerate([*levels, 0.0]):
        if level > limit and begin is None:
            begin = index
        elif level <= limit and begin is not None:
            found.append((begin * _WINDOW_MS, (index - begin) * _WINDOW_MS))
            begin = None
    return found
