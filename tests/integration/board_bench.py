"""What the virtual-board tests share: a board from a blank image, the real mpremote, and a plain view of its port."""

import os
import select
import subprocess
import sys
import termios
import time
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from tools.rig.serial_host import Wearable

MPREMOTE = Path(sys.executable).parent / "mpremote"


def board(folder: Path, *options: str, speed: int = 1, recording: Path | None = None) -> Wearable:
    """A virtual wearable on `folder`/image, which is made blank if it does not exist."""
    return Wearable(folder, folder / "image", speed=speed, recording=recording, options=options)


def mpremote(wearable: Wearable, *arguments: str, timeout_s: float = 20) -> subprocess.CompletedProcess[str]:
    """Run the real mpremote against the board."""
    return subprocess.run(
        [str(MPREMOTE), "connect", wearable.port, *arguments],
        capture_output=True, text=True, timeout=timeout_s, check=False,
    )  # fmt: skip


def said(wearable: Wearable, *arguments: str, timeout_s: float = 20) -> str:
    """What mpremote printed; it must have succeeded."""
    done = mpremote(wearable, *arguments, timeout_s=timeout_s)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def put(wearable: Wearable, **files: str) -> None:
    """Write programs to the board by name (main="…" is main.py), then hard-reset it."""
    folder = wearable.image.parent
    arguments: list[str] = []
    for name, text in files.items():
        path = folder / f"put_{name}.py"
        path.write_text(text)
        arguments += ["fs", "cp", str(path), f":{name}.py", "+"]
    said(wearable, *arguments, "reset")


def until(condition: Callable[[], Any], timeout_s: float = 10, what: str = "") -> Any:
    """Wait for a true value."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {timeout_s} s for {what or condition}"
        time.sleep(0.02)


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
        """Send."""
        os.write(self._fd, data)

    def read_until(self, end: bytes, timeout_s: float = 10) -> bytes:
        """All output up to and with `end`; what follows stays for the next call."""
        deadline = time.monotonic() + timeout_s
        while end not in self.seen:
            assert time.monotonic() < deadline, f"no {end!r} in {self.seen[-500:]!r}"
            if select.select([self._fd], [], [], 0.1)[0]:
                self.seen += os.read(self._fd, 65536)
        found, _, self.seen = self.seen.partition(end)
        return found + end


def is_running(pid: int) -> bool:
    """Whether a process exists and is more than a corpse."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
