"""Red and infrared samples of a finger that does not exist, with the truth beside them.

Deterministic for a seed. A `Subject` says how rate, saturation and perfusion go over time; `samples()` gives what a
MAX30102 at 100 samples a second, averaged by four, would put in its FIFO. SpO2 becomes a ratio of ratios through
the inverse of the AN6845 curve, which the firmware uses by default. Run as a module it prints CSV.
"""

import argparse
import math
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

RATE_HZ = 100
OUT_HZ = 25
FULL_SCALE = 262143

# One beat: (height, centre, width) of three Gaussians on the circle 0..1; the second and third make the shoulder.
_WAVES = ((1.0, 0.20, 0.075), (0.50, 0.38, 0.10), (0.22, 0.58, 0.16))
_TABLE_SIZE = 2048


def _beat_table() -> list[float]:
    values = []
    for i in range(_TABLE_SIZE):
        phase = i / _TABLE_SIZE
        total = 0.0
        for height, centre, width in _WAVES:
            distance = (phase - centre + 0.5) % 1.0 - 0.5
            total += height * math.exp(-distance * distance / (2 * width * width))
        values.append(total)
    low, high = min(values), max(values)
    return [(value - low) / (high - low) for value in values]


_BEAT = _beat_table()


def ratio_of(spo2_pct: float) -> float:
    """R that the AN6845 curve turns into this SpO2 (percent)."""
    return (34.6597 - math.sqrt(34.6597**2 - 4 * 1.5958 * (112.6899 - spo2_pct))) / (2 * 1.5958)


Track = Callable[[float], float]


def constant(value: float) -> Track:
    """The same at any time."""
    return lambda _t_s: value


def ramp(before: float, after: float, from_s: float, to_s: float) -> Track:
    """`before` until from_s, then straight to `after` at to_s."""

    def at(t_s: float) -> float:
        part = min(1.0, max(0.0, (t_s - from_s) / (to_s - from_s)))
        return before + (after - before) * part

    return at


@dataclass(frozen=True)
class Burst:
    """Movement seen by both channels alike between two times."""

    from_s: float
    to_s: float


@dataclass
class Subject:
    """What is worn and how. Tracks are functions of seconds; perfusion in percent; levels and noise in counts."""

    hr_bpm: Track = field(default_factory=lambda: constant(75.0))
    spo2_pct: Track = field(default_factory=lambda: constant(97.0))
    pi_pct: Track = field(default_factory=lambda: constant(1.0))
    contact: Callable[[float], bool] = lambda _t_s: True
    noise_counts: float = 15.0
    infrared_level: float = 120000.0
    red_level: float = 100000.0
    breathing: float = 0.002
    breathing_hz: float = 0.25
    drift: float = 0.003
    motion: float = 0.0
    bursts: tuple[Burst, ...] = ()
    swapped: bool = False


def samples(subject: Subject, seconds: float, seed: int = 1) -> Iterator[tuple[int, int]]:
    """(red, infrared) at 25 Hz for that long."""
    chance = random.Random(seed)
    tones = [
        [(chance.uniform(0.4, 4.0), chance.uniform(0, 2 * math.pi)) for _ in range(6)] for _ in subject.bursts
    ]
    phase = chance.random()
    red_sum = infrared_sum = 0
    per_out = RATE_HZ // OUT_HZ
    for n in range(int(seconds * OUT_HZ) * per_out):
        t_s = n / RATE_HZ
        sway = 1 + 0.02 * math.sin(2 * math.pi * 0.25 * t_s) + 0.01 * math.sin(2 * math.pi * 0.1 * t_s)
        phase = (phase + subject.hr_bpm(t_s) / 60 * sway / RATE_HZ) % 1.0
        if subject.contact(t_s):
            common = 1 + subject.breathing * math.sin(2 * math.pi * subject.breathing_hz * t_s + 0.7)
            common += subject.drift * math.sin(2 * math.pi * t_s / 45) + _motion(subject, tones, t_s)
            pulse = subject.pi_pct(t_s) / 100 * _BEAT[int(phase * _TABLE_SIZE)]
            infrared = subject.infrared_level * (common - pulse)
            red = subject.red_level * (common - pulse * ratio_of(subject.spo2_pct(t_s)))
        else:
            infrared, red = 900.0, 700.0
        infrared_sum += _count(infrared + chance.gauss(0, subject.noise_counts))
        red_sum += _count(red + chance.gauss(0, subject.noise_counts))
        if n % per_out == per_out - 1:
            pair = (red_sum // per_out, infrared_sum // per_out)
            yield (pair[1], pair[0]) if subject.swapped else pair
            red_sum = infrared_sum = 0


def _motion(subject: Subject, tones: list[list[tuple[float, float]]], t_s: float) -> float:
    total = 0.0
    for burst, parts in zip(subject.bursts, tones, strict=True):
        if burst.from_s <= t_s < burst.to_s:
            place = (t_s - burst.from_s) / (burst.to_s - burst.from_s)
            hann = 0.5 - 0.5 * math.cos(2 * math.pi * place)
            waves = sum(math.sin(2 * math.pi * f * t_s + p) for f, p in parts)
            total += subject.motion * hann * waves / math.sqrt(len(parts))
    return total


def _count(value: float) -> int:
    return min(FULL_SCALE, max(0, round(value)))


def main() -> int:
    """Print `t_s,red,ir` at 25 Hz for a subject whose values do not change; exit 0."""
    parser = argparse.ArgumentParser(prog="python -m tools.ppg_generator", description=__doc__)
    parser.add_argument("--hr", type=float, default=75.0, help="beats per minute")
    parser.add_argument("--spo2", type=float, default=97.0, help="percent")
    parser.add_argument(
        "--pi", type=float, default=1.0, help="perfusion index in percent; 0 is worn without a pulse"
    )
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1, help="of the noise")
    options = parser.parse_args()
    subject = Subject(constant(options.hr), constant(options.spo2), constant(options.pi))
    try:
        print("t_s,red,ir")
        for i, (red, infrared) in enumerate(samples(subject, options.seconds, options.seed)):
            print(f"{i / OUT_HZ:.2f},{red},{infrared}")
    except (KeyboardInterrupt, BrokenPipeError):  # the reader has enough
        sys.stderr.close()  # or the interpreter complains about the pipe once more
    return 0


if __name__ == "__main__":
    sys.exit(main())
