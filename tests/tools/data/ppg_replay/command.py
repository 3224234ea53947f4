"""Run the command on a file made for a test, and read its rows."""

import csv
import io
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tools.rig.micropython import ROOT

Row = dict[str, str]


def write(path: Path, pairs: Iterable[tuple[float, float]]) -> Path:
    """A recording with red and ir."""
    path.write_text("red,ir\n" + "".join(f"{red},{infrared}\n" for red, infrared in pairs))
    return path


def replay(*args: object, stdin: str | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tools.data.ppg_replay", *map(str, args)],
        cwd=ROOT, input=stdin, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def rows(*args: object) -> list[Row]:
    """The rows of a run that went well."""
    done = replay(*args)
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))


def valid(found: list[Row]) -> list[Row]:
    return [row for row in found if row["valid"] == "1"]
