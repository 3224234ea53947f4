"""Run code on the real MicroPython interpreter that the tools extra installs."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware"


def interpreter() -> str:
    """Path of the pinned `micropython` beside this Python; missing is an error of set-up, not a skip."""
    path = Path(sys.executable).parent / "micropython"
    if not path.exists():
        raise FileNotFoundError(f"{path}: run `make setup`")
    return str(path)


def run_micropython(
    script: Path,
    *args: str,
    heap: str = "4M",
    timeout_s: float = 300,
    env: dict[str, str] | None = None,
    as_it_is: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run `script` with firmware/ on the path. Coverage replaces it by a slower copy that needs more heap
    (CW_MP_FIRMWARE) but where a test wants it `as_it_is`: for its heap, or because it is long and others cover it."""
    firmware = str(FIRMWARE) if as_it_is else os.environ.get("CW_MP_FIRMWARE", str(FIRMWARE))
    full_env = {**os.environ, "MICROPYPATH": f"{firmware}:{ROOT}:.frozen", **(env or {})}
    return subprocess.run(
        [interpreter(), "-X", f"heapsize={heap}", str(script), *args],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        env=full_env,
        check=False,
    )
