"""Start a virtual wearable, talk to its control socket, and stop it."""

import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0
_SOCKET_PATH_MAX = 100  # sun_path is 104 bytes on macOS, 108 on Linux


class WearableError(Exception):
    """The virtual wearable did not do what it was asked; the message says what it printed."""


class VirtualWearable:
    """One `python -m tools.virtual_wearable` process in `folder`. Use as a context manager.

    `port` is the pty that mpremote and the agent open; `image` the flash image, which outlives the process.
    """

    def __init__(self, folder: Path, *options: str, speed: float = 1) -> None:
        self.folder = folder
        self.image = folder / "flash.img"
        self.link = folder / "tty"
        self.log = folder / "wearable.log"
        self._short: str | None = None
        if len(os.fsencode(folder / "control")) > _SOCKET_PATH_MAX:
            self._short = tempfile.mkdtemp(prefix="cytowatch-")
        self._control = Path(self._short or folder) / "control"
        self._options = [
            "--image", str(self.image), "--link", str(self.link), "--control", str(self._control),
            "--speed", f"{speed:g}", *options,
        ]  # fmt: skip
        self.port = ""
        self.ble_address = self.hci = ""  # with --ble: where its radio is, and a transport of its own air
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> "VirtualWearable":
        """Start the process and wait for READY; raise WearableError with what it printed when it does not come."""
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tools.virtual_wearable", *self._options],
                cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], START_TIMEOUT_S)
        line = self._process.stdout.readline() if ready else ""
        if not line.startswith("READY "):
            self.stop()
            raise WearableError(
                f"the virtual wearable did not start: {line or self.log.read_text()[-500:]!r}"
            )
        self.port = line.split()[1]
        if "--ble" in self._options:
            said = dict(word.split("=", 1) for word in self._process.stdout.readline().split()[1:])
            self.ble_address, self.hci = said["address"], said["hci"]
        return self

    def control(self, **request: Any) -> dict[str, Any]:
        """Send one control command and return its answer; WearableError when there is none."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(STOP_TIMEOUT_S)
                connection.connect(str(self._control))
                connection.sendall(json.dumps(request).encode() + b"\n")
                with connection.makefile("r") as answers:
                    answer: dict[str, Any] = json.loads(answers.readline())
        except (OSError, ValueError) as error:
            raise WearableError(
                f"the virtual wearable does not answer: {error}; its last words: {self.log.read_text()[-500:]!r}"
            ) from error
        if "error" in answer:
            raise WearableError(f"{request}: {answer['error']}")
        return answer

    def kill(self) -> None:
        """Kill -9, as a power cut that takes the whole board."""
        # the system may give the name of a pty that is gone to anybody's next one: nothing may lead there
        self.link.unlink(missing_ok=True)
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """Ask the process to end; kill it when it does not."""
        if self._short:
            shutil.rmtree(self._short, ignore_errors=True)
        if not self._process:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._process = None

    def __enter__(self) -> "VirtualWearable":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def wait_until(condition: Any, timeout_s: float, what: str, poll_s: float = 0.2) -> Any:
    """Poll `condition` until it is true and return its value; raise WearableError naming `what` at the deadline."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise WearableError(f"{what}: not within {timeout_s:.0f} s")
        time.sleep(poll_s)
