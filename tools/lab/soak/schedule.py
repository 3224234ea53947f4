"""Which harm comes when: repeatable by its seed, whatever the processes do meanwhile.

Harm number n of a seed is the same in every run: its kind, the quiet time before it, and all that it draws itself. In
real time the instruction that it meets is not, because real processes are never twice at the same place.
"""

from collections.abc import Iterator, Mapping
from random import Random
from typing import NamedTuple

from tools.lab.soak.harms import HARMS, Harm

_PAUSE_MEAN_S = 4.0
_PAUSE_MAX_S = 20.0


class Planned(NamedTuple):
    """`pause_s` of life comes before it; `chance` is for this harm alone."""

    number: int
    kind: str
    pause_s: float
    chance: Random


def planned(seed: int, harms: Mapping[str, Harm] = HARMS) -> Iterator[Planned]:
    """Harms 1, 2, ... without end. The first round has every kind once, so that short lives meet them all."""
    kinds = list(harms)
    once = kinds.copy()
    Random(f"{seed} first").shuffle(once)
    number = 0
    while True:
        chance = Random(f"{seed} {number}")
        kind = chance.choices(kinds, [harms[name].weight for name in kinds])[0]
        if number < len(once):
            kind = once[number]
        pause_s = min(chance.expovariate(1 / _PAUSE_MEAN_S), _PAUSE_MAX_S)
        number += 1
        yield Planned(number, kind, pause_s, chance)
