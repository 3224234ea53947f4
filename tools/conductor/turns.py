"""A participant's end of the conductor's wire: say hello, take turns, say when there is nothing to do. No event loop.

    turns = Turns(path, "wearable")             # blocks until it may start
    while True:
        work(turns.now_us)
        turns.idle(next_timer_us, ran=True)
        while not turns.take_go(block=True):    # EOFError: the conductor has ended
            pass

One JSON object is one datagram; README.md lists them. Use one thread.
"""

import atexit
import contextlib
import faulthandler
import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

_LARGEST_BYTES = 1 << 16
STACK_SIGNAL = signal.SIGURG  # the agent has an answer of its own to most


class Turns:
    """One participant, from its hello on.

    `seed`, `utc_start_ms`: of the run. `life`: how many participants of this name came before, this one included.
    `now_us`: axis time of this turn. `horizon_us`: how far a wearable may advance its own time in this turn.
    `due`: for each pty (epoch, bytes that its other end has sent since that epoch began).
    `opened`: counts of the ports that this participant opened, as `idle` takes them; set it where there are such.
    """

    def __init__(self, path: str | Path, name: str) -> None:
        """Say hello and wait until it is this participant's turn to start. OSError: no conductor there."""
        self.name = name
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.connect(str(path))
        self.fd = self._socket.fileno()
        self._pid = os.getpid()
        self._has_woken = True
        self.opened: Callable[[], Mapping[str, Sequence[int]]] = dict
        self._send({"hello": name, "stack": _shows_stack()})
        answer = self._receive()
        self.seed: int = answer["seed"]
        self.life: int = answer["life"]
        self.utc_start_ms: int = answer["utc_start_ms"]
        self.now_us: int = answer["now_us"]
        self.horizon_us = self.now_us
        self.due: Mapping[str, tuple[int, int]] = _due(answer)
        atexit.register(self.end)

    def idle(
        self, until_us: int | None, ran: bool, at_us: int | None = None,
        ports: Mapping[str, Sequence[int]] | None = None, spoke: bool = True,
    ) -> None:  # fmt: skip
        """End the turn: nothing to do before `until_us` (None: ever) unless bytes arrive.

        `ran`: whether the turn found anything to do. `spoke` False: it gave nobody anything to do.
        `at_us`: own time, when it ran ahead. `ports`: for each pty that this participant made [epoch, sent, taken].
        """
        message: dict[str, Any] = {
            "idle": until_us, "at": self.now_us if at_us is None else at_us, "ran": ran,
        }  # fmt: skip
        if not spoke:
            message["spoke"] = False
        if ports:
            message["ports"] = ports
        if opened := self.opened():
            message["opened"] = opened
        self._has_woken = False
        self._send(message)

    def take_go(self, block: bool) -> bool:
        """Read one message if there is one, or wait for it; True when it gave a turn. EOFError: no conductor."""
        try:
            message = self._receive(0 if block else socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        if "go" not in message:
            return False
        self._has_woken = True
        self.now_us, self.horizon_us, self.due = message["go"], message["horizon"], _due(message)
        return True

    def wake(self) -> None:
        """Ask for a turn: something arrived from outside. Once for each `idle`; more are not sent."""
        if not self._has_woken:
            self._has_woken = True
            self._send({"wake": True})

    def utc_ns(self) -> int:
        """Wall time of the simulation."""
        return self.utc_start_ms * 1_000_000 + self.now_us * 1000

    def end(self) -> None:
        """Leave as a program that ends in good order does. At the exit of the process this is called by itself."""
        if self._pid == os.getpid() and self._socket.fileno() >= 0:
            with contextlib.suppress(OSError):
                self._send({"bye": True, "opened": self.opened()})
            atexit.unregister(self.end)
            # the socket stays open until the process has ended: its last output belongs to this turn

    def fail(self) -> None:
        """Leave without a word at the exit of the process: the run has failed here."""
        atexit.unregister(self.end)

    def close(self) -> None:
        """Leave, and be gone at once."""
        self.end()
        self._socket.close()

    def _send(self, message: dict[str, Any]) -> None:
        try:
            self._socket.sendall(json.dumps(message).encode())
        except (BrokenPipeError, ConnectionResetError):
            raise EOFError("the conductor has ended") from None

    def _receive(self, flags: int = 0) -> dict[str, Any]:
        try:
            data = self._socket.recv(_LARGEST_BYTES, flags)
        except ConnectionResetError:
            data = b""
        if not data:
            raise EOFError("the conductor has ended")
        message: dict[str, Any] = json.loads(data)
        return message


def _due(message: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {path: (epoch, sent) for path, (epoch, sent) in message.get("due", {}).items()}


def _shows_stack() -> bool:
    """Let STACK_SIGNAL write the stack of every thread to standard error, so that a hang says in what."""
    if threading.current_thread() is not threading.main_thread():
        return False
    with contextlib.suppress(Exception):  # standard error may be no file
        faulthandler.register(STACK_SIGNAL, all_threads=True)
        return True
    return False
