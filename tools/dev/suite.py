"""Run every test in three phases, with one summary at the end: `python -m tools.dev.suite`.

First what computes: one worker for each core. Then what talks to virtual wearables: in simulated time one waits for the
other, so more workers than cores share the machine. Last the few that live in real time, alone: they mostly wait, and a
core that computes beside them would make them late.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
WORKERS_PER_CORE_THAT_WAIT = 2
# pytest's own exit codes; with any other one it did not get as far as its summary
PASSED, FAILED, NOTHING_CHOSEN = 0, 1, 5


class Phase(NamedTuple):
    """A part of the suite: its name, the arguments that pytest needs to run only that, and the folders it is all in."""

    name: str
    arguments: list[str]
    folders: tuple[str, ...] = ()


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


COMPUTING = Phase("what computes", ["-m", "not wearable", "-n", str(cores()), "--dist", "worksteal"])
_SHARED = ["-n", str(WORKERS_PER_CORE_THAT_WAIT * cores()), "--dist", "loadgroup"]
SIMULATED = Phase(
    "what talks to virtual wearables in simulated time", ["-m", "wearable and not real_time", *_SHARED],
    ("tests/integration",),  # tests/conftest.py marks every other one real_time
)  # fmt: skip
WAITING = Phase("what talks to them in real time", ["-m", "wearable and real_time", *_SHARED])


def verdict(code: int) -> str:
    """What an exit code of pytest says about its phase."""
    words = {PASSED: "passed", FAILED: "FAILED", NOTHING_CHOSEN: "nothing to run"}
    return words.get(code) or (
        f"DIED (killed by signal {-code})" if code < 0 else f"DIED (pytest exit code {code})"
    )


def environment() -> dict[str, str]:
    """Of the tests: compiled Python is kept in build/, wherever the caller's own environment keeps it or not.

    Every worker loads every test, and the tests start thousands of programs.
    """
    given = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**given, "PYTHONPYCACHEPREFIX": str(ROOT / "build" / "pycache")}


def run(command: list[str]) -> int:
    """Run pytest in front of the person who waits; return its exit code."""
    return subprocess.run(command, check=False, env=environment()).returncode


def main() -> int:
    """Run every phase even when one before fails, with the arguments that pytest is given here.

    Return 0 when every chosen test passed, 1 when one failed, a phase died, or no test was chosen at all.
    """
    lines, codes = [], set()
    chosen = sys.argv[1:]
    names_tests = any(not argument.startswith("-") for argument in chosen)
    for name, arguments, folders in (COMPUTING, SIMULATED, WAITING):
        print(f"suite: {name}", flush=True)
        begun_s = time.monotonic()
        where = [] if names_tests else folders
        code = run([sys.executable, "-m", "pytest", "-q", "--durations=10", *arguments, *chosen, *where])
        lines.append(f"suite: {name}: {verdict(code)} in {time.monotonic() - begun_s:.0f} s")
        codes.add(code)
    print("\n".join(lines), flush=True)
    return 0 if PASSED in codes and codes <= {PASSED, NOTHING_CHOSEN} else 1


if __name__ == "__main__":
    sys.exit(main())
