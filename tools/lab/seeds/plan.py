"""What a seed means: the patient, what goes wrong and when, and how regular clocks and line are.

A plan depends on its seed alone. Each event has a source of chance of its own, so that a life with some events left
out has the others as they were: that is how a fault is narrowed down.
"""

from collections.abc import Collection
from pathlib import Path
from random import Random
from typing import NamedTuple

from tools.lab.seeds.harms import HARMS

LENGTH_S = (1.0, 4.0)  # of axis time, in which the wearable lives half as many minutes
_EVENTS = (2, 7)
_QUIET_S = 0.3  # before the first event


class Planned(NamedTuple):
    """Event `number` of a life, at a second of the axis."""

    number: int
    at_s: float
    kind: str
    chance: Random


class Plan(NamedTuple):
    """One life.

    `wearables`: how many. `name_comes_s`: when the cable of the first gets the second name that the agent
    was given too; None: it has one name.
    """

    seed: int
    length_s: float
    events: tuple[Planned, ...]
    wearables: int
    name_comes_s: float | None
    jitter_us: int
    drift_ppm: int
    noise_per_million: int


def planned(seed: int, only: Collection[int] | None = None) -> Plan:
    """The plan of a seed; `only`: the numbers of the events that it keeps, None: all."""
    chance = Random(f"{seed} plan")
    length_s = round(chance.uniform(*LENGTH_S), 3)
    weights = [harm.weight for harm in HARMS.values()]
    events = []
    for number in range(1, chance.randint(*_EVENTS) + 1):
        kind = chance.choices(list(HARMS), weights)[0]
        at_s = round(chance.uniform(_QUIET_S, length_s), 6)
        events.append(Planned(number, at_s, kind, Random(f"{seed} {number}")))
    return Plan(
        seed,
        length_s,
        tuple(sorted(event for event in events if only is None or event.number in only)),
        wearables=2 if chance.random() < 0.1 else 1,
        name_comes_s=round(chance.uniform(0, length_s), 6) if chance.random() < 0.4 else None,
        jitter_us=chance.choice((0, 0, 500, 5000)),
        drift_ppm=chance.choice((0, 0, -200, 200)),
        noise_per_million=chance.choice((0, 0, 0, 20, 200)),
    )


def write_patient(path: Path, seed: int) -> Path:
    """Write a scenario: a patient whose oxygen may fall, who may get a fever, and takes the strap off now and then."""
    chance = Random(f"{seed} patient")
    lines = ['title = "A patient of a short life"']
    t_s = 0
    temp_c, spo2_pct = chance.choice((36.8, 37.9, 38.6)), 97.0
    while t_s < 600:
        lines += ["", "[[keyframe]]", f"t_s = {t_s}"]
        if t_s and chance.random() < 0.1:
            lines.append('strap = "off"')
        else:
            lines += [
                f"temp_c = {temp_c:.1f}",
                f"spo2_pct = {spo2_pct:.0f}",
                f"hr_bpm = {chance.randrange(65, 125)}",
            ]
        t_s += chance.randrange(30, 120)
        temp_c = chance.choice((temp_c, 38.4, 39.1))
        spo2_pct = chance.choice((97.0, 94.0, 86.0, 84.0))
    path.write_text("\n".join(lines) + "\n")
    return path
