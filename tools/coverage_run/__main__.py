"""Run the tests and print line coverage of CPython and MicroPython code together: `python -m tools.coverage_run`.

Two pytest processes side by side: what computes, under coverage of both runtimes, and what talks to virtual wearables
in real time, under coverage of the host and without a slowed-down firmware. With arguments: one pytest with those.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import coverage

from tools.coverage_run.instrument import instrument

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "coverage"
REAL_TIME = ("tests/integration", "tests/tools", "tests/hil")


def start(arguments: list[str], environment: dict[str, str], output: int | None) -> subprocess.Popen[bytes]:
    """Start one pytest under coverage; `output` is a file descriptor, None for this terminal."""
    command = [sys.executable, "-m", "coverage", "run", "-m", "pytest", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)


def run_tests(environment: dict[str, str]) -> int:
    """Run both halves of the suite at once; return the first exit code that is not 0."""
    computing = [argument for folder in REAL_TIME for argument in ("--ignore", folder)]
    with tempfile.TemporaryFile() as held:
        beside = start(["-q", "tests", *computing], environment, held.fileno())
        with_firmware = {key: value for key, value in environment.items() if key != "CW_MP_FIRMWARE"}
        print("coverage_run: tests on virtual wearables; the others run beside them", flush=True)
        first = start(["-q", *REAL_TIME], with_firmware, None).wait()
        second = beside.wait()
        held.seek(0)
        print("coverage_run: the other tests", flush=True)
        sys.stdout.flush()
        shutil.copyfileobj(held, sys.stdout.buffer)
    return first or second


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
    shutil.copy(ROOT / "tools/coverage_run/on_board/cw_cov.py", tree)
    marks = BUILD / "marks"
    marks.write_bytes(b"0" * len(table))
    environment = {
        **os.environ,
        "CW_MP_FIRMWARE": str(tree),
        "CW_COV_FILE": str(marks),
        "COVERAGE_FILE": str(BUILD / "data"),
    }
    chosen = sys.argv[1:]
    status = start(chosen, environment, None).wait() if chosen else run_tests(environment)
    report(table, marks.read_bytes())
    return status


if __name__ == "__main__":
    sys.exit(main())
