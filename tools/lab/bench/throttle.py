"""A line of limited speed between two ends, in its own process; the host's end is a terminal.

    with Line(wearable_port, 11520) as line:      # the host opens line.path; line.carried: bytes towards the host

Towards the host it reads from the far end only what it may pass on now, in small slices, so a sender that is too fast
waits at its own full port. It may fall behind its rate by 20 ms and catch up, as a driver with a small buffer would.
The other direction has the same rate.
"""

import multiprocessing
import os
import select
import socket
import stat
import time
import tty
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

SLICE_S = 0.004
BEHIND_S = 0.02
_SLICE_MIN = 16


class Line:
    """Opens `far`, the path of a terminal or a listening socket, and offers `path`; `rate` in bytes a second."""

    def __init__(self, far: str, rate: float) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._carried: Any = context.Value("Q", 0)
        self._process = context.Process(target=_serve, args=(theirs, self._carried, far, rate), daemon=True)
        self._process.start()
        theirs.close()
        self.path: str = ours.recv()

    @property
    def carried(self) -> int:
        """Bytes passed towards the host so far."""
        return int(self._carried.value)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()


class _Way:
    """One direction: bytes from `source` to `sink` at `rate`."""

    def __init__(self, source: int, sink: int, rate: float) -> None:
        self.source, self._sink, self._rate = source, sink, rate
        self._slice = max(_SLICE_MIN, int(rate * SLICE_S))
        self._free_s = 0.0
        self._held = b""

    def wait_s(self, now_s: float) -> float:
        """Seconds until the next slice may go; 0 when it may go now."""
        return max(self._free_s - now_s, 0.0)

    def pass_on(self, now_s: float) -> int:
        """Move one slice; return the bytes moved."""
        try:
            if not self._held:
                self._held = os.read(self.source, self._slice)
            went = os.write(self._sink, self._held)
        except BlockingIOError:
            return 0
        self._held = self._held[went:]
        self._free_s = max(self._free_s, now_s - BEHIND_S) + went / self._rate
        return went


def _open(far: str) -> int:
    if stat.S_ISSOCK(Path(far).stat().st_mode):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(far)
        connection.setblocking(False)
        return connection.detach()
    fd = os.open(far, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    tty.setraw(fd)
    return fd


def _serve(parent: Connection, carried: Any, far: str, rate: float) -> None:
    """Pass bytes on until the process is killed or the far end is gone."""
    far_fd = _open(far)
    master, slave = os.openpty()
    tty.setraw(master)
    tty.setraw(slave)
    os.set_blocking(master, False)
    parent.send(os.ttyname(slave))
    to_host, to_device = _Way(far_fd, master, rate), _Way(master, far_fd, rate)
    while True:
        now_s = time.monotonic()
        waits = {way.source: way.wait_s(now_s) for way in (to_host, to_device)}
        ready = [fd for fd, wait_s in waits.items() if not wait_s]
        later_s = min((wait_s for wait_s in waits.values() if wait_s), default=1.0)
        try:
            readable, _, _ = select.select(ready, [], [], later_s)
            if to_device.source in readable:
                to_device.pass_on(now_s)
            if to_host.source in readable:
                carried.value += to_host.pass_on(time.monotonic())
        except OSError:  # the far end is gone
            return
