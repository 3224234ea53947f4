"""What an engineer has on a board's port: the real mpremote, and a plain view of what the port says."""

import os
import select
import subprocess
import sys
import termios
import tty
from pathlib import Path
from typing import Self

from tools.rig.waiting import until
from tools.rig.wearable import Wearable

_MPREMOTE = Path(sys.executable).parent / "mpremote"


def mpremote(wearable: Wearable, *arguments: str, timeout_s: float = 20) -> subprocess.CompletedProcess[str]:
    """Run the real mpremote against the board, as a person types it."""
    return subprocess.run(
        [str(_MPREMOTE), "connect", wearable.port, *arguments],
        capture_output=True, text=True, timeout=timeout_s, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def said(wearable: Wearable, *arguments: str, timeout_s: float = 20) -> str:
    """What mpremote printed; it must have succeeded."""
    done = mpremote(wearable, *arguments, timeout_s=timeout_s)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def put(wearable: Wearable, **files: str) -> None:
    """Write programs to the board by name (main="…" is main.py), then hard-reset it."""
    arguments: list[str] = []
    for name, text in files.items():
        path = wearable.folder / f"put_{name}.py"
        path.write_text(text)
        arguments += ["fs", "cp", str(path), f":{name}.py", "+"]
    said(wearable, *arguments, "reset")


class Port:
    """The port, opened raw."""

    def __init__(self, wearable: Wearable) -> None:
        self._fd = os.open(wearable.port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._fd, termios.TCSANOW)
        self.seen = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def write(self, data: bytes) -> None:
        os.write(self._fd, data)

    def read_until(self, end: bytes, timeout_s: float = 10) -> bytes:
        """All output up to and with `end`; what follows stays for the next call."""
        until(lambda: end in self.seen, timeout_s, f"{end!r} on the port", self._read)
        found, _, self.seen = self.seen.partition(end)
        return found + end

    def _read(self) -> None:
        if select.select([self._fd], [], [], 0.1)[0]:
            self.seen += os.read(self._fd, 65536)
