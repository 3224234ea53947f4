"""Run the tests and print line coverage of CPython and MicroPython code together: `python -m tools.lab.coverage`.

First what computes, under coverage of both runtimes, in two parts side by side; then what talks to virtual wearables in
real time and mostly waits, under coverage of the host and without a slowed-down firmware, in four. With arguments: one
pytest with those.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import coverage

from tools.lab.coverage.instrument import instrument

ROOT = Path(__file__).resolve().parents[3]
BUILD = ROOT / "build" / "coverage"
ON_WEARABLES = ("tests/integration", "tests/tools", "tests/hil")
GRADING = ("tests/core", "tests/property")  # half of what computes
SIMULATED = "tests/tools/lab/evaluate"  # computes, too
RECORDED = ("recordings", "firmware_alarms", "firmware_link")
WHOLE = ("demo", "survival", "port_ownership")
RADIO = ("ble_link", "ble_security", "ble_standard", "ble_commands", "soak")


def start(arguments: list[str], environment: dict[str, str], output: int | None) -> subprocess.Popen[bytes]:
    """Start one pytest under coverage; `output` is a file descriptor, None for this terminal."""
    command = [sys.executable, "-m", "coverage", "run", "-m", "pytest", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)


def rounds() -> list[dict[str, list[str]]]:
    """pytest arguments of each part of the suite; together they are the whole of it. The parts of a round run at once.

    What computes takes whole cores and would make tests on wearables, whose time is real, late: so it goes first.
    """
    recorded, whole, radio = (
        [f"tests/integration/test_{name}.py" for name in names] for names in (RECORDED, WHOLE, RADIO)
    )
    elsewhere = [f"--ignore={folder}" for folder in (*ON_WEARABLES, *GRADING)]
    return [
        {"core": [*GRADING, SIMULATED], "host, device, documents": ["tests", *elsewhere]},
        {
            "recordings, alarms and link": recorded,
            "radio": radio,
            "tools and whole missions": ["tests/tools", "tests/hil", f"--ignore={SIMULATED}", *whole],
            "boards and ports": [
                "tests/integration",
                *(f"--ignore={file}" for file in (*recorded, *whole, *radio)),
            ],
        },
    ]


def run_tests(environment: dict[str, str]) -> int:
    """Run every part of the suite; return an exit code that is not 0, if there is one."""
    as_it_is = {key: value for key, value in environment.items() if key != "CW_MP_FIRMWARE"}
    computing, on_wearables = rounds()
    codes = run_round(computing, environment), run_round(on_wearables, as_it_is)
    return max(codes, key=bool)


def run_round(chosen: dict[str, list[str]], environment: dict[str, str]) -> int:
    """Run the parts side by side and show what each said; return an exit code that is not 0, if there is one."""
    running = []
    worst = 0
    for name, arguments in chosen.items():
        log = tempfile.TemporaryFile()  # noqa: SIM115 closed below, after its process has ended
        running.append((name, log, start(["-q", "--durations=5", *arguments], environment, log.fileno())))
    print(f"coverage_run: {' and '.join(chosen)}, side by side, some minutes", flush=True)
    for name, log, process in running:
        worst = process.wait() or worst
        log.seek(0)
        print(f"coverage_run: {name}", flush=True)
        shutil.copyfileobj(log, sys.stdout.buffer)
        sys.stdout.flush()
        log.close()
    return worst


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
