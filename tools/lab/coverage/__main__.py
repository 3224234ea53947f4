"""Run what computes and print line coverage of CPython and MicroPython code together: `python -m tools.lab.coverage`.

With arguments: only the tests that pytest chooses by them. Tests on virtual wearables are left out: their time is real,
and a host that counts its lines would be late.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import coverage

from tools.dev.suite import COMPUTING, environment
from tools.lab.coverage.instrument import instrument

ROOT = Path(__file__).resolve().parents[3]
BUILD = ROOT / "build" / "coverage"


def report(table: list[tuple[Path, int]], marks: bytes) -> None:
    """Merge what both runtimes executed and print the table."""
    hits: dict[str, set[int]] = {}
    for (path, line), mark in zip(table, marks, strict=True):
        if mark == ord("1"):
            hits.setdefault(str(path), set()).add(line)
    on_micropython = coverage.CoverageData(str(BUILD / "data.micropython"))
    on_micropython.add_lines(hits)
    on_micropython.write()
    merged = coverage.Coverage(data_file=str(BUILD / "data"), config_file=str(ROOT / "pyproject.toml"))
    merged.combine([str(BUILD)])
    merged.save()
    percent = merged.report(ignore_errors=True)
    print(f"coverage: {percent:.1f} % of lines; {len(hits)} firmware files ran on MicroPython", flush=True)


def main() -> int:
    """Exit with pytest's own code, after the table whatever it was."""
    shutil.rmtree(BUILD, ignore_errors=True)
    tree = BUILD / "firmware"
    table = instrument(ROOT / "firmware", tree)
    shutil.copy(ROOT / "tools/lab/coverage/on_board/cw_cov.py", tree)
    marks = BUILD / "marks"
    marks.write_bytes(b"0" * len(table))
    counted = {
        **environment(),
        "CW_MP_FIRMWARE": str(tree),
        "CW_COV_FILE": str(marks),
        "COVERAGE_FILE": str(BUILD / "data"),
        "CW_COUNT_LINES": str(ROOT / "pyproject.toml"),  # tests/conftest.py counts in each worker
    }
    command = [sys.executable, "-m", "pytest", "-q", *COMPUTING.arguments, *sys.argv[1:]]
    status = subprocess.run(command, cwd=ROOT, env=counted, check=False).returncode
    report(table, marks.read_bytes())
    return status


if __name__ == "__main__":
    sys.exit(main())
