"""The real `cytowatch` with a wall clock that a soak steps: `python -m tools.lab.soak.stepped_agent FILE run ...`, and
in simulated time `run_cytowatch --with tools.lab.soak.stepped_agent:install:FILE`.

FILE holds when the life began and by how much the clock is wrong now (see `write`); it is read anew at each look at the
clock, so a step meets a running agent at any moment. The simulated wall time goes on over restarts of the agent, as a
laptop's does. Only the wall clock is changed; what counts durations stays as it is.
"""

import os
import sys
import time
from pathlib import Path

from host_agent.cli.main import main
from host_agent.clock import RealClock, ScaledClock

_FIELD = 24  # digits and a sign; one field is written in one piece


def write(path: Path, began_ms: int, offset_ms: int) -> None:
    """Say when the life began and by how much the clock is wrong; whoever reads meanwhile sees the old or the new."""
    with path.open("r+b" if path.exists() else "wb", buffering=0) as file:
        file.write(f"{began_ms:{_FIELD}d}{offset_ms:{_FIELD}d}".encode())


def read(fd: int) -> tuple[int, int]:
    """(began_ms, offset_ms) of an open FILE."""
    text = os.pread(fd, 2 * _FIELD, 0)
    return int(text[:_FIELD]), int(text[_FIELD:])


def install(path: str) -> None:
    """From now on both clocks of the agent follow FILE."""
    fd = os.open(path, os.O_RDONLY)

    def real_utc_ms(_: RealClock) -> int:
        return time.time_ns() // 1_000_000 + read(fd)[1]

    def scaled_utc_ms(clock: ScaledClock) -> int:
        began_ms, offset_ms = read(fd)
        return round(began_ms + (time.time_ns() // 1_000_000 - began_ms) * clock.speed) + offset_ms

    RealClock.utc_ms = real_utc_ms  # type: ignore[assignment,method-assign]
    ScaledClock.utc_ms = scaled_utc_ms  # type: ignore[assignment,method-assign]


if __name__ == "__main__":
    install(sys.argv[1])
    sys.exit(main(sys.argv[2:]))
