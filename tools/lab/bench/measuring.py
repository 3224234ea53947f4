"""What the benches share: the type of their rows, and the figures that a script prints on MicroPython."""

from pathlib import Path
from typing import Any

from tools.rig.micropython import run_micropython

# name, figure, target, whether it is reached; without a target: name, figure, note, None
Row = tuple[str, str, str, bool | None]


def words_of(script: Path, *args: str, **how: Any) -> list[list[str]]:
    """Words of each line that the script prints; `how` as in `run_micropython`. RuntimeError when it failed."""
    done = run_micropython(script, *args, **how)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return [line.split() for line in done.stdout.splitlines()]


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` (0..1) of them lie."""
    return sorted(values)[int(len(values) * share)]
