"""One participant as its conductor sees it: a connection, and what it last said."""

import json
import socket
import struct
import time
from contextlib import suppress
from os import kill, sysconf
from pathlib import Path
from typing import Any

from tools.conductor.errors import FloodError, WireError
from tools.conductor.port_counts import Due, counts_of
from tools.conductor.turns import STACK_SIGNAL

_LARGEST_BYTES = 1 << 16  # one that is larger would cost each turn the making of so large a buffer
_MESSAGES_PER_TURN = 100
_TELLS_S = 0.2
_really_sleep = time.sleep  # whatever clock the player's process gets
_TICKS_A_SECOND = sysconf("SC_CLK_TCK")


class Participant:
    """`has_turn`: it may work. `until_us`: nothing to do before; None: ever. `seen`: the last work it looked at."""

    def __init__(self, connection: socket.socket, number: int) -> None:
        self._connection = connection
        self.fd = connection.fileno()
        self.number = number
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        self.process = struct.unpack("3i", credentials)[0]
        self.name = ""
        self.has_turn = False
        self.has_started = False
        self.has_said_bye = False
        self.is_suspended = False
        self.runs_ahead = False
        self.until_us: int | None = None
        self.horizon_us = 0
        self.since_s = 0.0  # real time at which its turn began
        self.seen = -1
        self.must_look_again = False  # something came from outside while it had its turn
        self._shows_stack = False
        self._messages = 0
        self._worked_before_s: float | None = None

    def receive(self) -> dict[str, Any] | None:
        """The next message; None when the connection has ended. BlockingIOError, FloodError, WireError."""
        try:
            data = self._connection.recv(_LARGEST_BYTES, socket.MSG_DONTWAIT)
        except ConnectionResetError:  # it ended without reading its turn; what it said before comes next
            return self.receive()
        if not data:
            return None
        self._messages += 1
        if self._messages > _MESSAGES_PER_TURN:
            raise FloodError(f"{self} sends without end: {self._messages} messages in one turn")
        try:
            message = json.loads(data)
            if "hello" in message and not self.has_started:
                self.name, self._shows_stack = str(message["hello"]), bool(message.get("stack"))
            elif "idle" in message:
                _check_idle(message)
            elif "bye" in message:
                message["opened"] = counts_of(message, "opened")
            elif not {"hello", "wake"} & set(message):
                raise ValueError("no such message")
        except (ValueError, TypeError, KeyError) as error:
            raise WireError(f"{self} sent what is no message ({error}): {data[:80]!r}") from None
        if ("hello" in message) == self.has_started or ("idle" in message and not self.has_turn):
            raise WireError(f"{self} sent a message out of turn: {data[:80]!r}")
        return dict(message)

    def start(self, now_us: int, since_s: float, answer: dict[str, Any]) -> None:
        """Answer its hello: its first turn begins."""
        self.has_started = True
        self._give(now_us, since_s, answer)

    def go(self, now_us: int, horizon_us: int, since_s: float, due: Due) -> None:
        """Give it a turn."""
        self._give(horizon_us, since_s, {"go": now_us, "horizon": horizon_us, "due": due})

    def _give(self, horizon_us: int, since_s: float, message: dict[str, Any]) -> None:
        self.has_turn, self.horizon_us, self.since_s, self._messages = True, horizon_us, since_s, 0
        self._worked_before_s = None
        self.must_look_again = False
        with suppress(ConnectionError):  # it has ended: its connection says so next
            self._connection.send(json.dumps(message).encode())

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def worked_s(self) -> float:
        """Processor time that it has used in its turn since this was first asked."""
        worked_s = self._processor_s()
        if self._worked_before_s is None:
            self._worked_before_s = worked_s
        return worked_s - self._worked_before_s

    def _processor_s(self) -> float:
        with suppress(OSError, IndexError):
            words = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
            return (int(words[11]) + int(words[12])) / _TICKS_A_SECOND
        return 0.0

    def is_debugged(self) -> bool:
        """Whether a debugger holds its process."""
        return self._status("TracerPid") not in ("", "0")

    def stuck(self) -> str:
        """What its process does now; its stack goes to its standard error when it can tell it."""
        state = self._status("State") or "gone"
        if self._shows_stack:
            with suppress(ProcessLookupError, PermissionError):
                kill(self.process, STACK_SIGNAL)
                _really_sleep(_TELLS_S)  # whoever reads of the hang may kill it
        where = ""
        with suppress(OSError):
            where = Path(f"/proc/{self.process}/wchan").read_text()
        told = ". The stack of its threads is in its standard error" if self._shows_stack else ""
        return f"process {self.process}, {state}{f', in {where}' if where not in ('', '0') else ''}{told}"

    def _status(self, key: str) -> str:
        with suppress(OSError):
            for line in Path(f"/proc/{self.process}/status").read_text().splitlines():
                if line.startswith(f"{key}:"):
                    return line.partition(":")[2].strip()
        return ""

    def __str__(self) -> str:
        return self.name or f"process {self.process}"


def _check_idle(message: dict[str, Any]) -> None:
    until_us = message["idle"]
    if not (until_us is None or type(until_us) is int) or type(message["at"]) is not int:
        raise ValueError("times are whole microseconds")
    message["ran"], message["spoke"] = bool(message["ran"]), bool(message.get("spoke", True))
    message["ports"], message["opened"] = counts_of(message, "ports"), counts_of(message, "opened")
