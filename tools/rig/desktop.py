"""A desktop without a screen for a test: a session bus of its own, a virtual display, and dunst, which shows notes."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from typing import Any

MISSING = "no dbus-daemon, dunst or Xvfb here; `apt-get install dbus dunst xvfb` brings them"
_START_S = 15.0
# Without a folder of services: the bus starts no program by itself.
_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>
"""


def has_bus() -> bool:
    """Whether a bus can be started here."""
    return shutil.which("dbus-daemon") is not None


def has_desktop() -> bool:
    """Whether notes can be shown here."""
    return has_bus() and all(shutil.which(program) for program in ("dunst", "dunstctl", "Xvfb"))


@contextlib.contextmanager
def session_bus() -> Iterator[str]:
    """The address of a bus on which nobody is yet, until the block ends."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as config:
        config.write(_BUS)
        config.flush()
        command = ["dbus-daemon", "--config-file", config.name, "--nofork", "--print-address"]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as daemon:
            try:
                assert daemon.stdout is not None
                yield daemon.stdout.readline().strip()
            finally:
                daemon.kill()


class Notes:
    """What dunst shows on one bus."""

    def __init__(self, environ: dict[str, str]) -> None:
        self._environ = environ

    def control(self, *words: str) -> str:
        """What `dunstctl` answers."""
        done = subprocess.run(
            ["dunstctl", *words], env=self._environ, capture_output=True, text=True, check=False, timeout=20
        )
        return done.stdout.strip()

    def shown(self) -> int:
        """How many notes are on the screen now."""
        return int(self.control("count", "displayed") or 0) + int(self.control("count", "waiting") or 0)

    def history(self) -> list[dict[str, Any]]:
        """The notes that were closed, the last one first: their fields as dunst tells them."""
        self.control("close-all")
        told = json.loads(self.control("history"))["data"][0]
        return [{name: field["data"] for name, field in note.items()} for note in told]


@contextlib.contextmanager
def desktop() -> Iterator[tuple[str, Notes]]:
    """(address of the bus, what is shown there) until the block ends."""
    with session_bus() as address, contextlib.ExitStack() as stack:
        read, write = os.pipe()
        display = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", "640x480x24"],
            pass_fds=(write,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        stack.callback(_end, display)
        os.close(write)
        with os.fdopen(read) as numbers:
            number = numbers.readline().strip()
        environ = {**os.environ, "DISPLAY": f":{number}", "DBUS_SESSION_BUS_ADDRESS": address}
        dunst = subprocess.Popen(
            ["dunst", "-conf", "/dev/null"], env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        stack.callback(_end, dunst)
        notes = Notes(environ)
        until_s = time.monotonic() + _START_S
        while notes.control("is-paused") != "false":
            if time.monotonic() > until_s or dunst.poll() is not None:
                raise TimeoutError("dunst does not answer on its bus")
            time.sleep(0.05)
        yield address, notes


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
