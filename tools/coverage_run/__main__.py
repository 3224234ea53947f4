"""Run the tests and print line coverage of CPython and MicroPython code together."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import coverage

from tools.coverage_run.instrument import instrument

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "coverage"


def main() -> int:
    """Exit with pytest's own code; the table is printed whatever it was."""
    shutil.rmtree(BUILD, ignore_errors=True)
    tree = BUILD / "firmware"
    table = instrument(ROOT / "firmware", tree)
    shutil.copy(ROOT / "tools/coverage_run/on_board/cw_cov.py", tree)
    marks = BUILD / "marks"
    marks.write_bytes(b"0" * len(table))
    environment = {
        **os.environ,
        "CW_MP_FIRMWARE": str(tree),
        "CW_COV_FILE": str(marks),
        "COVERAGE_FILE": str(BUILD / "data"),
    }
    pytest = [sys.executable, "-m", "coverage", "run", "-m", "pytest", *sys.argv[1:]]
    status = subprocess.run(pytest, cwd=ROOT, env=environment, check=False).returncode

    hits: dict[str, set[int]] = {}
    for (path, line), mark in zip(table, marks.read_bytes(), strict=True):
        if mark == ord("1"):
            hits.setdefault(str(path), set()).add(line)
    on_micropython = coverage.CoverageData(str(BUILD / "data.micropython"))
    on_micropython.add_lines(hits)
    on_micropython.write()
    merged = coverage.Coverage(data_file=str(BUILD / "data"), config_file=str(ROOT / "pyproject.toml"))
    merged.combine([str(BUILD)])
    merged.save()
    percent = merged.report(ignore_errors=True)
    print(f"coverage: {percent:.1f} % of lines; {len(hits)} firmware files ran on MicroPython")
    return status


if __name__ == "__main__":
    sys.exit(main())
