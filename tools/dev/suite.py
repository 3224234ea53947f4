"""Run every test in two phases, with one summary at the end: `python -m tools.dev.suite`.

First what computes: one worker for each core. Then what talks to virtual wearables: they run in real time and mostly
wait, so more workers than cores share the machine, but a core that computes beside them would make them late.
"""

import os
import subprocess
import sys
import time
from typing import NamedTuple

WORKERS_PER_CORE_THAT_WAIT = 3
PYTEST_FAILED = (
    1  # pytest's exit code for "some test failed"; every other one but 0 means that it did not get so far
)


class Phase(NamedTuple):
    """A part of the suite: its name and the arguments that pytest needs to run only that."""

    name: str
    arguments: list[str]


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


COMPUTING = Phase("what computes", ["-m", "not wearable", "-n", str(cores()), "--dist", "worksteal"])
WAITING = Phase(
    "what talks to virtual wearables",
    ["-m", "wearable", "-n", str(WORKERS_PER_CORE_THAT_WAIT * cores()), "--dist", "loadgroup"],
)


def verdict(code: int) -> str:
    """What an exit code of pytest says about its phase."""
    if code == 0:
        return "passed"
    if code == PYTEST_FAILED:
        return "FAILED"
    return f"DIED (killed by signal {-code})" if code < 0 else f"DIED (pytest exit code {code})"


def main() -> int:
    """Run both phases even when the first fails; return 0 when every test of both passed, 1 otherwise."""
    lines = []
    failed = False
    for name, arguments in (COMPUTING, WAITING):
        print(f"suite: {name}", flush=True)
        begun_s = time.monotonic()
        command = [sys.executable, "-m", "pytest", "-q", "--durations=10", *arguments, *sys.argv[1:]]
        code = subprocess.run(command, check=False).returncode
        lines.append(f"suite: {name}: {verdict(code)} in {time.monotonic() - begun_s:.0f} s")
        failed = failed or code != 0
    print("\n".join(lines), flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
