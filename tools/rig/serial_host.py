"""A virtual wearable in its own process, and a plain host on its port that speaks the session and nothing above it.

with Wearable(tmp_path, image, scenario="steady_afebrile", speed=60) as wearable:
    host = wearable.connect()
    host.ask(message.Ping(7))
"""

import json
import os
import select
import socket
import subprocess
import sys
import termios
import time
import tty
from pathlib import Path
from typing import Any, Self

from crs_core.wire import message as wire
from crs_core.wire.session import Closed, HostSession, Opened, Received, Refused, Send, Text

from tools.rig.image import CUSTODIAN, DEVICE_ID

ROOT = Path(__file__).resolve().parents[2]
_HEARTBEAT = 0xBEA7BEA7
SCENARIOS = ROOT / "tools" / "virtual_wearable" / "scenarios"


class Wearable:
    """Runs `python -m tools.virtual_wearable` and its control socket; stopped on leaving the `with`."""

    def __init__(
        self, folder: Path, image: Path, *, scenario: str | Path = "steady_afebrile", speed: int = 60,
        recording: Path | None = None, options: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self.image = image
        self.speed = speed
        # a unix socket's path must be short, a test's folder is not
        self._control_path = Path(os.path.relpath(folder)) / f"c{os.getpid() % 1000}"
        if len(str(self._control_path)) > 100:
            self._control_path = Path("/tmp") / f"cw{os.getpid()}-{id(self) & 0xFFFFFF:x}"
        if isinstance(scenario, str):
            scenario = SCENARIOS / f"{scenario}.toml"
        source = ["--recording", str(recording)] if recording else ["--scenario", str(scenario)]
        self._command = [
            sys.executable, "-m", "tools.virtual_wearable", *source, "--speed", str(speed),
            "--image", str(image), "--control", str(self._control_path), *options,
        ]  # fmt: skip
        self.errors = folder / "wearable.err"
        self._process: subprocess.Popen[str] | None = None
        self._hosts: list[Host] = []

    def __enter__(self) -> Self:
        with self.errors.open("w") as errors:
            self._process = subprocess.Popen(
                self._command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.startswith("READY "), (line, self.errors.read_text())
        self.port = line.split()[1]
        return self

    def __exit__(self, *_: object) -> None:
        for host in self._hosts:
            host.close()
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)

    def control(self, cmd: str, **arguments: Any) -> dict[str, Any]:
        """One command on the control socket."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
            control.settimeout(10)
            control.connect(str(self._control_path))
            control.sendall(json.dumps({"cmd": cmd, **arguments}).encode() + b"\n")
            data = b""
            while not data.endswith(b"\n"):
                piece = control.recv(65536)
                assert piece, f"the wearable closed the control socket: {self.errors.read_text()}"
                data += piece
        answer: dict[str, Any] = json.loads(data)
        assert answer["done"], answer
        return answer

    def connect(self, key: Any = CUSTODIAN, timeout_s: float = 10) -> "Host":
        """Open the port and a session under `key`."""
        host = Host(self.port, key)
        self._hosts.append(host)
        host.open(timeout_s)
        return host

    def plug(self, key: Any = CUSTODIAN) -> "Host":
        """Open the port only."""
        host = Host(self.port, key)
        self._hosts.append(host)
        return host


class Host:
    """One end of the port. `events` holds everything that came; `text` what stood between frames."""

    def __init__(self, port: str, key: Any) -> None:
        self._fd = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._fd, termios.TCSANOW)
        self.session = HostSession(key, os.urandom, DEVICE_ID)
        self.messages: list[Any] = []
        self.refused: list[Any] = []
        self.closed: list[int] = []
        self.text = b""
        self.heartbeat_s = 0.5  # as a host that runs as fast as the wearable's clock; 0 says nothing
        self._beat_s = 0.0

    def close(self) -> None:
        """Close the port, as a host that died would."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def write(self, data: bytes) -> None:
        """Put raw bytes on the line."""
        deadline = time.monotonic() + 5
        while data:
            assert time.monotonic() < deadline, "the port takes nothing"
            _, ready, _ = select.select([], [self._fd], [], 0.5)
            if ready:
                data = data[os.write(self._fd, data) :]

    def pump(self, wait_s: float = 0.0) -> bool:
        """Take what has come, and give a heartbeat when one is due; True when anything came."""
        if self.heartbeat_s and self.session.is_open and time.monotonic() - self._beat_s >= self.heartbeat_s:
            self._beat_s = time.monotonic()
            self.send(wire.Ping(_HEARTBEAT))
        ready, _, _ = select.select([self._fd], [], [], wait_s)
        if not ready:
            return False
        try:
            data = os.read(self._fd, 65536)
        except BlockingIOError:
            return False
        for event in self.session.receive(data):
            if isinstance(event, Send):
                self.write(event.data)
            elif isinstance(event, Received):
                if event.message != wire.Pong(_HEARTBEAT):
                    self.messages.append(event.message)
            elif isinstance(event, Refused):
                self.refused.append(event)
            elif isinstance(event, Closed):
                self.closed.append(event.reason)
            elif isinstance(event, Text):
                self.text += event.data
            else:
                assert isinstance(event, Opened)
        return True

    def wait(self, condition: Any, timeout_s: float = 10, what: str = "") -> Any:
        """Pump until `condition()` is true; its value."""
        deadline = time.monotonic() + timeout_s
        while True:
            value = condition()
            if value:
                return value
            assert time.monotonic() < deadline, f"waited {timeout_s} s for {what or condition}: {self.text!r}"
            self.pump(0.02)

    def open(self, timeout_s: float = 10) -> None:
        """Say HELLO until a session is open (the board may still be starting)."""
        deadline = time.monotonic() + timeout_s
        self.session.link_lost()
        while self.session.state != "open":
            assert time.monotonic() < deadline, f"no session: {self.refused} {self.text!r}"
            self.write(self.session.start())
            until = time.monotonic() + 0.7
            while time.monotonic() < until and self.session.state != "open":
                self.pump(0.05)

    def send(self, message: Any) -> None:
        """Seal and send one message."""
        self.write(self.session.seal(message))

    def take(self, kind: Any, timeout_s: float = 10) -> Any:
        """Wait for the next message of a type, and remove it from `messages`."""

        def found() -> Any:
            for message in self.messages:
                if isinstance(message, kind):
                    self.messages.remove(message)
                    return (message,)
            return None

        return self.wait(found, timeout_s, str(kind))[0]

    def ask(self, message: Any, answer: Any = wire.Result, timeout_s: float = 10) -> Any:
        """Send one request and wait for its answer."""
        self.send(message)
        return self.take(answer, timeout_s)
