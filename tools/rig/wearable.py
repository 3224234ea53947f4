"""A virtual wearable as a process: start it, reach its control socket and its port, kill it, stop it.

with ready(tmp_path, speed=60) as wearable:      # provisioned and bound, on an image that was just built
    host = wearable.connect()                    # a session on its port
    wearable.control("press", ms=300)
"""

import contextlib
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Self

from tools.conductor.conductor import Conductor
from tools.conductor.errors import ConductorError
from tools.rig import evidence
from tools.rig.host import Host
from tools.rig.image import CUSTODIAN, build_image
from tools.rig.micropython import ROOT
from tools.rig.own_air import OwnAir
from tools.rig.processes import popen
from tools.rig.scenarios import scenario_file
from tools.rig.waiting import conductor, patience_s, settle
from tools.virtual_wearable.radio import AirError

_START_S = 30.0
_STOP_S = 10.0
_SOCKET_PATH_MAX = 100  # sun_path is 104 bytes on macOS, 108 on Linux


class WearableError(Exception):
    """The virtual wearable did not do what it was asked; the message says what it printed."""


class Wearable:
    """One `python -m tools.virtual_wearable` process in `folder`. Use it as a context manager.

    `port` is the pty that mpremote and the agent open, `link` a path that leads there after every start; `image` is the
    flash image, which outlives the process. A blank one is made where there is none.
    """

    def __init__(
        self, folder: Path, *options: str, scenario: str | Path = "steady_afebrile", recording: Path | None = None,
        speed: float = 1, name: str = "wearable",
    ) -> None:  # fmt: skip
        """`name`: what a conductor calls it. `scenario` as `scenarios.scenario_file` takes it; a `recording` is played
        instead of it."""
        self.folder = folder
        self.name = name
        self.image = folder / "flash.img"
        self.link = folder / "tty"
        self.log = folder / "wearable.log"
        self.speed = speed
        self.port = ""
        self.ble_address = self.hci = ""  # with --ble: where its radio is, and a transport of its own air
        self._source = (
            ("--recording", recording) if recording else ("--scenario", scenario_file(folder, scenario))
        )
        self._options = options
        self._short = ""  # the folder of a control socket whose path would be too long
        self._process: subprocess.Popen[str] | None = None
        self._hosts: list[Host] = []
        self._air: OwnAir | None = (
            None  # in simulated time, for as long as this object's wearable is not stopped
        )

    @property
    def _control(self) -> Path:
        if len(os.fsencode(self.folder / "control")) <= _SOCKET_PATH_MAX:
            return self.folder / "control"
        self._short = self._short or tempfile.mkdtemp(prefix="cytowatch-")
        return Path(self._short, "control")

    def start(self) -> Self:
        """Start the process and wait for READY; WearableError with what it printed when READY does not come."""
        evidence.note(self.log, self.image)
        command = [
            sys.executable, "-m", "tools.virtual_wearable", *map(str, self._source), "--image", str(self.image),
            "--link", str(self.link), "--control", str(self._control), "--speed", f"{self.speed:g}", *self._options,
        ]  # fmt: skip
        with self.log.open("a") as log:
            if owner := conductor():
                if "--ble" in self._options and "--air" not in self._options:
                    self._air = self._air or self._own_air(owner, log)
                    command += ["--air", str(self._air.chip_path)]
                owner.expect(self.name)
                command += ["--conductor", str(owner.path), "--name", self.name]
                if "--chip" not in self._options:  # not from the image's path, which is another in each run
                    command += ["--chip", f"{self.name} {self.folder.name}"]
            self._process = popen(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True
            )
        said = self._process.stdout
        assert said is not None
        is_ready, _, _ = select.select([said], [], [], patience_s(_START_S))
        line = said.readline() if is_ready else ""
        if not line.startswith("READY "):
            self.stop()
            raise WearableError(f"the virtual wearable did not start: {line or self._last_words()!r}")
        self.port = line.split()[1]
        if "--ble" in self._options:
            radio = dict(word.split("=", 1) for word in said.readline().split()[1:])
            self.ble_address = radio["address"]
            self.hci = self._air.hci if self._air else radio["hci"]
        return self

    def _own_air(self, owner: Conductor, log: IO[str]) -> OwnAir:
        try:
            return OwnAir(owner, log)
        except AirError as error:
            raise WearableError(f"{error}: {self._last_words()!r}") from error

    def control(self, cmd: str, **arguments: Any) -> dict[str, Any]:
        """Send one control command and return its answer; WearableError when it is refused or there is none."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(patience_s(_STOP_S))
                connection.connect(str(self._control))
                connection.sendall(json.dumps({"cmd": cmd, **arguments}).encode() + b"\n")
                with connection.makefile("r") as answers:
                    answer: dict[str, Any] = json.loads(answers.readline())
        except (OSError, ValueError) as error:
            raise WearableError(
                f"the virtual wearable does not answer: {error}; its last words: {self._last_words()!r}"
            ) from error
        settle()
        if "error" in answer:
            raise WearableError(f"{cmd} {arguments}: {answer['error']}")
        return answer

    def state(self) -> dict[str, Any]:
        """What the board shows and counts now."""
        return self.control("state")

    def is_sounding(self) -> bool:
        """Whether the buzzer is on."""
        return bool(self.state()["buzzer"]["duty_u16"])

    def plug(self, key: Any = CUSTODIAN) -> Host:
        """Open the port only; the host will speak under `key`."""
        self._hosts.append(Host(self.port, key))
        return self._hosts[-1]

    def connect(self, key: Any = CUSTODIAN, timeout_s: float = 10) -> Host:
        """Open the port and a session under `key`."""
        host = self.plug(key)
        host.open(timeout_s)
        return host

    def wait(self, timeout_s: float) -> int:
        """Wait for the process to end by itself; its exit code."""
        assert self._process is not None
        return self._process.wait(timeout_s)

    def kill(self) -> None:
        """Kill -9, as a power cut that takes the whole board."""
        # the system may give the name of a pty that is gone to anybody's next one: nothing may lead there
        self.link.unlink(missing_ok=True)
        if self._process:
            _settle()
            with _ended_with(self._process.pid):
                self._process.kill()
                self._reap()
            _settle()

    def stop(self) -> None:
        """Ask the process to end; kill it when it does not."""
        while self._hosts:
            self._hosts.pop().close()
        if self._process:
            _settle()
            self._process.terminate()
            try:
                self._process.wait(patience_s(_STOP_S))
            except subprocess.TimeoutExpired:
                self._process.kill()
            self._reap()
        if self._air:
            self._air.close()
            self._air = None
        if self._short:
            shutil.rmtree(self._short, ignore_errors=True)
            self._short = ""

    def _reap(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        self._process.wait()
        self._process.stdout.close()
        self._process = None

    def _last_words(self) -> str:
        return self.log.read_text()[-500:]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _settle() -> None:
    """A signal meets a program between its turns; what its end gives others to do is done. A failed run ends, too."""
    with contextlib.suppress(ConductorError):
        settle()


@contextlib.contextmanager
def _ended_with(pid: int) -> Iterator[None]:
    """After the block the children of a process that was killed in it have ended, too: they die a moment later."""
    fds = []
    with contextlib.suppress(OSError):  # where the system does not tell
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            fds.append(os.pidfd_open(int(child)))
    try:
        yield
        for fd in fds:
            select.select([fd], [], [], _STOP_S)
    finally:
        for fd in fds:
            os.close(fd)


def ready(
    folder: Path, *options: str, scenario: str | Path = "steady_afebrile", recording: Path | None = None,
    speed: float = 60, **built: Any,
) -> Wearable:  # fmt: skip
    """A wearable that needs no flashing: `built` goes to build_image; by default provisioned, with a bound patient."""
    build_image(folder / "flash.img", **built)
    return Wearable(folder, *options, scenario=scenario, recording=recording, speed=speed)
