"""The serial ports that host_agent opens, with every byte counted: a pty hands bytes over late.

`use_ports` puts this between `host_agent.link.serial` and the system. A port that no participant made, such as a real
board's, is left as it is.
"""

import contextlib
import os
import select
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol

import serial

from tools.conductor.turns import Turns

_LATE_S = 2.0
_LARGEST_READ_BYTES = 65536
_now_s = time.monotonic  # real, whatever clock the process gets


class Counted(Protocol):
    """Who knows what the other ends have sent: a participant's turns, or the conductor for its player."""

    @property
    def due(self) -> Mapping[str, tuple[int, int]]:
        """For each pty (epoch, bytes that its other end has sent since that epoch began)."""


@dataclass
class _Port:
    path: str
    epoch: int = -1
    sent: int = 0
    taken: int = 0


class OpenedPorts:
    """The ports of one process; what was closed still counts."""

    def __init__(self, turns: Counted) -> None:
        self._turns = turns
        self._by_path: dict[str, _Port] = {}
        self._by_fd: dict[int, _Port] = {}

    def counts(self) -> dict[str, list[int]]:
        """For each path [epoch, sent, taken]."""
        return {
            port.path: [port.epoch, port.sent, port.taken]
            for port in self._by_path.values()
            if port.epoch >= 0
        }

    def late(self) -> list[int]:
        """The descriptors to which more was sent than was read."""
        return [fd for fd, port in self._by_fd.items() if self._missing(port) > 0]

    def opened(self, fd: int, name: str) -> None:
        """A port was opened: what was sent to it before is dropped, all of it."""
        path = os.path.realpath(name)
        port = self._by_fd[fd] = self._by_path.setdefault(path, _Port(path))
        while self._missing(port) > 0:
            try:
                if not self.read(fd, _LARGEST_READ_BYTES):
                    break
            except OSError:
                break
        termios.tcflush(fd, termios.TCIFLUSH)

    def closed(self, fd: int) -> None:
        """The descriptor is no longer this port."""
        self._by_fd.pop(fd, None)

    def is_counted(self, fd: int) -> bool:
        """Whether a participant made the port behind this descriptor."""
        port = self._by_fd.get(fd)
        return port is not None and port.path in self._turns.due

    def read(self, fd: int, most: int) -> bytes:
        """As os.read, in one piece all that the other end has sent."""
        port = self._by_fd.get(fd)
        wanted = min(most, self._missing(port)) if port else 0
        if port is None or wanted <= 0:
            data = os.read(fd, most)
            if port is not None:
                port.taken += len(data)
            return data
        data = self._read_all(fd, wanted)
        port.taken += len(data)
        return data

    def _read_all(self, fd: int, wanted: int) -> bytes:
        data, end_s = b"", _now_s() + _LATE_S
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        while len(data) < wanted and _now_s() < end_s:
            poll.poll(max(1, (end_s - _now_s()) * 1000))
            try:
                piece = os.read(fd, wanted - len(data))
            except BlockingIOError:
                continue
            except OSError:
                if data:
                    return data
                raise
            if not piece:
                return data
            data += piece
        if len(data) < wanted:
            self.give_up(fd, len(data))
        if not data:
            raise BlockingIOError
        return data

    def give_up(self, fd: int, read: int = 0) -> None:
        """What was sent and is not among the last `read` bytes is lost; nobody waits for it a second time."""
        port = self._by_fd[fd]
        missing = self._missing(port) - read
        sys.stderr.write(f"{port.path}: {missing} bytes were sent and did not come within {_LATE_S:g} s\n")
        port.taken += missing

    def write(self, fd: int, data: bytes | memoryview) -> int:
        """As os.write."""
        count = os.write(fd, data)
        if port := self._by_fd.get(fd):
            self._missing(port)  # a port that was made anew counts from its beginning
            port.sent += count
        return count

    def _missing(self, port: _Port) -> int:
        epoch, sent = self._turns.due.get(port.path, (port.epoch, port.taken))
        if epoch != port.epoch:
            port.epoch, port.sent, port.taken = epoch, 0, 0
        return sent - port.taken


class _InPlaceOf:
    """A module with some of its names replaced."""

    def __init__(self, module: ModuleType, **names: Any) -> None:
        self._module = module
        self.__dict__.update(names)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


@contextlib.contextmanager
def counted(user: ModuleType, ports: OpenedPorts) -> Iterator[None]:
    """As `use_ports`, in `ports` and until the block ends."""
    kept = user.os, user.serial, user.termios  # type: ignore[attr-defined]
    _count(user, ports)
    try:
        yield
    finally:
        user.os, user.serial, user.termios = kept  # type: ignore[attr-defined]


def use_ports(user: ModuleType, turns: Turns) -> OpenedPorts:
    """Count what the module `user` reads and writes on the ports that it opens with pyserial."""
    ports = OpenedPorts(turns)
    turns.opened = ports.counts
    _count(user, ports)
    return ports


def _count(user: ModuleType, ports: OpenedPorts) -> None:

    class Serial(serial.Serial):
        """Drops what was sent before it opened, with counting."""

        def _reset_input_buffer(self) -> None:
            assert self.fd is not None and self.portstr is not None
            ports.opened(self.fd, self.portstr)

        def close(self) -> None:
            """Close it; unread output stays for the other end."""
            if self.fd is not None:
                ports.closed(self.fd)
            super().close()

    def tcflush(fd: int, queue: int) -> None:
        if not ports.is_counted(fd):
            termios.tcflush(fd, queue)

    user.os = _InPlaceOf(os, read=ports.read, write=ports.write)  # type: ignore[attr-defined]
    user.serial = _InPlaceOf(serial, Serial=Serial)  # type: ignore[attr-defined]
    user.termios = _InPlaceOf(termios, tcflush=tcflush)  # type: ignore[attr-defined]
