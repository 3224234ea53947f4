"""The slow line of the benches: nothing is lost or changed on it, and it takes no more than it passes on."""

import os
import random
import select
import socket
import time
import tty
from pathlib import Path

import pytest

from tools.lab.bench.throttle import Line

pytestmark = pytest.mark.wearable

FAST = 1_000_000


def _read(fd: int, count: int) -> bytes:
    data = b""
    while len(data) < count:
        assert select.select([fd], [], [], 5)[0], f"only {len(data)} bytes came"
        data += os.read(fd, 65536)
    return data


def test_bytes_pass_unchanged_in_both_directions_and_are_counted_towards_the_host() -> None:
    sent = random.Random(1).randbytes(20_000)
    far, far_slave = os.openpty()
    tty.setraw(far_slave)
    with Line(os.ttyname(far_slave), FAST) as line:
        host = os.open(line.path, os.O_RDWR | os.O_NOCTTY)
        came = b""
        for at in range(0, len(sent), 1000):
            os.write(far, sent[at : at + 1000])
            came += _read(host, 1000)
        assert came == sent
        deadline_s = time.monotonic() + 5
        while line.carried < len(sent) and time.monotonic() < deadline_s:
            time.sleep(0.01)  # a slice is counted once it is on the way
        assert line.carried == len(sent)
        os.write(host, sent[:1000])
        assert _read(far, 1000) == sent[:1000]
        assert line.carried == len(sent), "the other direction is not counted"
    for fd in (host, far, far_slave):
        os.close(fd)


def test_whoever_writes_too_fast_is_held_up(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "far"))
        listener.listen(1)
        with Line(str(tmp_path / "far"), 100) as line:
            far, _ = listener.accept()
            far.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 0)
            far.setblocking(False)
            taken = 0
            try:
                while taken < 100_000:
                    taken += far.send(bytes(64))
            except BlockingIOError:
                pass
            assert taken < 1000
            assert line.carried <= taken
            far.close()
