"""Make this process a participant before its program is loaded: its clocks and its random numbers."""

import os
import sys

from tools.conductor.process_clock import use_clock
from tools.conductor.process_random import draw_from, use_random
from tools.conductor.turns import Turns

_HASH_SEED = "PYTHONHASHSEED"


class _Later:
    """The turns of a process that loads its program first and takes part later; before, time is at zero."""

    turns: Turns | None = None

    @property
    def now_us(self) -> int:
        """Axis time."""
        return 0 if self.turns is None else self.turns.now_us

    def utc_ns(self) -> int:
        """Wall time of the simulation."""
        return 0 if self.turns is None else self.turns.utc_ns()

    def idle(self, until_us: int | None, ran: bool) -> None:
        """End the turn."""
        assert self.turns is not None, "a program that is only loaded must not sleep"
        self.turns.idle(until_us, ran)

    def take_go(self, block: bool) -> bool:
        """Wait for the next turn."""
        assert self.turns is not None
        return self.turns.take_go(block)


_later: list[_Later] = []


def load_first() -> None:
    """Programs may be loaded from now on: children that this process forks call `take_part` with them loaded."""
    _later.append(_Later())
    use_clock(_later[0])
    draw_from("nobody")


def take_part(path: str, name: str) -> Turns:
    """Say hello as `name`. A process whose sets would vary from run to run first becomes one whose sets do not."""
    if os.environ.get(_HASH_SEED) != "0":
        os.environ[_HASH_SEED] = "0"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 the same program
    turns = Turns(path, name)
    if _later:
        _later[0].turns = turns
    else:
        use_clock(turns)
    use_random(turns)
    return turns
