"""Write every lock file from pyproject.toml: `make lock`. One version and all its hashes for each package.

Needs `uv` only; runs before anything is installed. Exit 1 with uv's own words when the pins contradict one another.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCKS = Path("tools/dev/locks")
STUBS = "1.29.0.post1"  # of MicroPython, one set for each port: they hold the same module names
# lock file: (extras of pyproject.toml, or one requirement; the lock file it must agree with)
MAIN = Path("requirements.lock")
LOCKED: dict[Path, tuple[tuple[str, ...] | str, Path | None]] = {
    MAIN: (("tools", "ble", "apprise", "desktop", "metrics", "keyring", "dev", "build"), None),
    LOCKS / "mutation.lock": (("mutation",), MAIN),
    LOCKS / "supply.lock": (("supply",), None),
    LOCKS / "stubs-esp32.lock": (f"micropython-esp32-stubs=={STUBS}", None),
    LOCKS / "stubs-rp2.lock": (f"micropython-rp2-stubs=={STUBS}", None),
}


def main(uv: str, *options: str) -> int:
    """Write the files; options go to `uv pip compile`."""
    common = [
        "--universal",
        "--python-version",
        "3.11",
        "--generate-hashes",
        "--no-header",
        "--quiet",
        *options,
    ]
    for lock, (wanted, agrees_with) in LOCKED.items():
        if isinstance(wanted, str):
            source, lines = ["-"], wanted
        else:
            source, lines = ["pyproject.toml", *(f"--extra={extra}" for extra in wanted)], ""
        constraint = ["--constraint", str(agrees_with)] if agrees_with else []
        command = [uv, "pip", "compile", *source, *constraint, *common, "--output-file", str(lock)]
        done = subprocess.run(command, cwd=ROOT, input=lines, text=True, check=False)
        if done.returncode:
            return 1
        print(lock)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
