"""Red and infrared samples of a simulated finger whose true values are known.

A seed always gives the same samples. A `Subject` defines rate, saturation and perfusion over time; `samples()` gives
the FIFO content of a MAX30102 at 100 samples a second, averaged by four. The light comes from `ppg_wave`, as in the
virtual wearable's sensor. Run as a module it prints CSV.
"""

import argparse
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from host_agent.terminal.streams import run_clean
from tools.data import ppg_wave
from tools.data.ppg_wave import PHASE_STEPS, PpgWave

RATE_HZ = 100
OUT_HZ = 25
FULL_SCALE = 262143

Track = Callable[[float], float]


def constant(value: float) -> Track:
    return lambda _t_s: value


def ramp(before: float, after: float, from_s: float, to_s: float) -> Track:
    """`before` until from_s, then along a straight line to `after` at to_s."""

    def at(t_s: float) -> float:
        part = min(1.0, max(0.0, (t_s - from_s) / (to_s - from_s)))
        return before + (after - before) * part

    return at


@dataclass(frozen=True)
class Burst:
    """Movement between two times; it changes both channels alike."""

    from_s: float
    to_s: float


@dataclass
class Subject:
    """The wearer and the probe. Tracks are functions of seconds; perfusion in percent; levels and noise in counts."""

    hr_bpm: Track = field(default_factory=lambda: constant(75.0))
    spo2_pct: Track = field(default_factory=lambda: constant(97.0))
    pi_pct: Track = field(default_factory=lambda: constant(1.0))
    contact: Callable[[float], bool] = lambda _t_s: True
    noise_counts: float = ppg_wave.NOISE_SIGMA
    infrared_level: float = ppg_wave.IR_LEVEL
    red_level: float = ppg_wave.RED_LEVEL
    breathing: float = ppg_wave.BREATHING
    breathing_hz: float = ppg_wave.BREATHING_HZ
    drift: float = ppg_wave.VASOMOTION
    motion: float = 0.0
    bursts: tuple[Burst, ...] = ()
    swapped: bool = False


def samples(subject: Subject, seconds: float, seed: int = 1) -> Iterator[tuple[int, int]]:
    """(red, infrared) counts at 25 Hz."""
    levels = subject.red_level, subject.infrared_level, subject.noise_counts
    wave = PpgWave(seed, *levels, subject.breathing, subject.breathing_hz, subject.drift)
    chance = random.Random(seed)
    for burst in subject.bursts:
        tones = [(chance.uniform(0.4, 4.0), chance.uniform(0, 2 * math.pi)) for _ in range(6)]
        wave.move(burst.from_s, burst.to_s, subject.motion, tones)
    wave.phase = chance.random() * PHASE_STEPS
    per_out = RATE_HZ // OUT_HZ
    for first in range(0, int(seconds * OUT_HZ) * per_out, per_out):
        red_sum = infrared_sum = 0
        for n in range(first, first + per_out):
            t_s = n / RATE_HZ
            values = (subject.spo2_pct(t_s), subject.hr_bpm(t_s), subject.pi_pct(t_s))
            wave.see(values if subject.contact(t_s) else None)
            red, infrared = wave.advance(1, 1 / RATE_HZ, 1.0, 1.0, FULL_SCALE)
            red_sum += red
            infrared_sum += infrared
        pair = (red_sum // per_out, infrared_sum // per_out)
        yield (pair[1], pair[0]) if subject.swapped else pair


def _within(low: float, high: float) -> Callable[[str], float]:
    """A number from `low` to `high` from the text of an option."""

    def number(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is outside {low:g}..{high:g}")
        return value

    return number


def main() -> int:
    """Print `t_s,red,ir` at 25 Hz for a subject whose values do not change; exit 0."""
    parser = argparse.ArgumentParser(prog="python -m tools.data.ppg_generator", description=__doc__)
    parser.add_argument("--hr", type=_within(10, 300), default=75.0, help="beats per minute")
    parser.add_argument("--spo2", type=_within(50, 100), default=97.0, help="percent")
    parser.add_argument(
        "--pi", type=_within(0, 20), default=1.0, help="perfusion index in percent; 0: no pulse"
    )
    parser.add_argument("--seconds", type=_within(0, 86400), default=60.0)
    parser.add_argument("--seed", type=int, default=1, help="of the noise")
    options = parser.parse_args()
    subject = Subject(constant(options.hr), constant(options.spo2), constant(options.pi))
    print("t_s,red,ir")
    for i, (red, infrared) in enumerate(samples(subject, options.seconds, options.seed)):
        print(f"{i / OUT_HZ:.2f},{red},{infrared}")
    return 0


if __name__ == "__main__":
    run_clean(main)
