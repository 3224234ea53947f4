"""Make this process a participant before its program is loaded: its clocks and its random numbers."""

import os
import sys

from tools.conductor.process_clock import use_clock
from tools.conductor.process_random import use_random
from tools.conductor.turns import Turns

_HASH_SEED = "PYTHONHASHSEED"


def take_part(path: str, name: str) -> Turns:
    """Say hello as `name`. A process whose sets would vary from run to run first becomes one whose sets do not."""
    if os.environ.get(_HASH_SEED) != "0":
        os.environ[_HASH_SEED] = "0"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 the same program
    turns = Turns(path, name)
    use_clock(turns)
    use_random(turns)
    return turns
