"""A backlog over a slow line: the share of the line that syncing uses, its time, and how late a live value is.

The wearable is the virtual one (its real firmware on MicroPython, still measuring); the host is the real engine with
FULL commits. A line of limited speed between them runs in its own process (`throttle.py`). A raw sender then sends as
many bytes over the same line; `share` is the raw sender's time divided by the time of the sync with HELLO,
acknowledgements and commits. At 921 600 and 115 200 baud (8N1: a tenth in bytes) the whole week is drained; at 8 and
13 kB/s it is one day, and its time is multiplied by seven. At 921 600 baud four processes share this machine's cores,
so the best of three counts.

The live values need a wearable with a port buffer as small as a chip's: the pseudo-terminals of the virtual wearable
buffer about 20 kB, nearly two seconds at 115 200 baud. So the firmware's application, monitor, journal and link run on
MicroPython without sensors, each erase 50 ms long, on a socket that accepts two pieces of 64 bytes. Monitor and host
share this machine's clock. The samples come from whole drains of the week, one after the other.
"""

import asyncio
import os
import select
import socket
import subprocess
import tempfile
import threading
import time
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tools.lab.bench.backlog import DAY, Drained, build, drain, wait_until_started
from tools.lab.bench.measuring import Row, percentile
from tools.lab.bench.throttle import Line
from tools.rig.image import CUSTODIAN, SETTINGS
from tools.rig.laptop import device_key
from tools.rig.micropython import FIRMWARE, ROOT, interpreter
from tools.rig.wearable import Wearable

WEEK_DAYS = 7
SHARE = 90.0
LIVE_MS, LIVE_SAMPLES = 250.0, 60
_BAUD_115200 = 11_520
_ERASE_MS = 50
_SCRIPT = ROOT / "tools" / "lab" / "bench" / "micropython" / "live_wearable.py"


class Rate(NamedTuple):
    """A line of `bytes_s`; a week may take `target_s` (None: no target); `days` are drained, `tries` times."""

    name: str
    bytes_s: int
    target_s: float | None
    days: int
    tries: int = 1


RATES = (
    Rate("921 600 baud", 92_160, 6, WEEK_DAYS, tries=3),
    Rate("115 200 baud", _BAUD_115200, 45, WEEK_DAYS),
    Rate("13 kB/s", 13_000, None, 1),
    Rate("8 kB/s", 8_000, 64, 1),
)


def rows() -> Iterator[Row]:
    for days in (WEEK_DAYS, 1):
        yield from _drains(days, [rate for rate in RATES if rate.days == days])
    with tempfile.TemporaryDirectory(prefix="cytowatch-live-") as folder:
        late_ms = _live(Path(folder))
    p99 = percentile(late_ms, 0.99)
    figure = f"p99 {p99:.0f} ms, p50 {percentile(late_ms, 0.5):.0f} ms ({len(late_ms)} samples)"
    name = "live value during a drain at 115 200 baud, monitor to host"
    yield name, figure, f"p99 <= {LIVE_MS:g} ms", p99 <= LIVE_MS


def _drains(days: int, rates: list[Rate]) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="cytowatch-sync-") as name:
        folder = Path(name)
        build(folder / "flash.img", days, SETTINGS)
        with Wearable(folder) as wearable:
            asyncio.run(wait_until_started(str(wearable.link), device_key(CUSTODIAN)))
            for rate in rates:
                measured = [_beside(rate, str(wearable.link), folder / f"{n}.db") for n in range(rate.tries)]
                yield from _row(rate, *min(measured, key=lambda each: each[0].took_s / each[2]))


def _beside(rate: Rate, port: str, database: Path) -> tuple[Drained, int, float]:
    """(the drain, its bytes on the line, seconds that a raw sender needs for as many bytes)."""
    with Line(port, rate.bytes_s) as line:
        done = asyncio.run(drain(line.path, database, device_key(CUSTODIAN)))
        carried = line.carried
    database.unlink()
    return done, carried, _raw_s(carried, rate.bytes_s)


def _row(rate: Rate, done: Drained, carried: int, raw_s: float) -> Iterator[Row]:
    if done.readings < rate.days * DAY:
        raise RuntimeError(f"{done.readings} readings of {rate.days} days")
    share = 100 * raw_s / done.took_s
    figure = f"{share:.1f} % ({done.took_s:.2f} s and {raw_s:.2f} s, {carried / done.readings:.2f} B/reading)"
    name = f"sync at {rate.name}, share of a raw sender of the same {carried:,} bytes"
    yield name, figure, f">= {SHARE:g} %", share >= SHARE
    week_s, most_s = done.took_s * WEEK_DAYS / rate.days, rate.target_s
    how = "all measured" if rate.days == WEEK_DAYS else f"{rate.days} day measured, times {WEEK_DAYS}"
    target = ("no target", None) if most_s is None else (f"<= {most_s:g} s", week_s <= most_s)
    yield f"sync at {rate.name}, 7 days ({WEEK_DAYS * DAY:,} readings)", f"{week_s:.1f} s ({how})", *target


def _raw_s(count: int, bytes_s: int) -> float:
    """Seconds for `count` plain bytes over such a line, from the first write to the last byte read."""
    master, slave = os.openpty()
    tty.setraw(slave)
    with Line(os.ttyname(slave), bytes_s) as line:
        fd = os.open(line.path, os.O_RDWR | os.O_NOCTTY)
        begun_s = time.monotonic()
        sender = threading.Thread(target=_send, args=(master, count), daemon=True)
        sender.start()
        left = count
        while left:
            if not select.select([fd], [], [], 10)[0]:
                raise RuntimeError(f"the line stopped with {left} bytes to go")
            left -= len(os.read(fd, 65536))
        took_s = time.monotonic() - begun_s
        sender.join()
    for each in (fd, master, slave):
        os.close(each)
    return took_s


def _send(fd: int, count: int) -> None:
    while count:
        count -= os.write(fd, bytes(min(count, 2048)))


def _live(folder: Path) -> list[float]:
    """How late each live value of the drains was, in ms."""
    image = build(folder / "flash.img", WEEK_DAYS, SETTINGS)
    epoch_ms = int(time.time() * 1000)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "far"))
        listener.listen(1)
        with Line(str(folder / "far"), _BAUD_115200) as line:
            port, _ = listener.accept()
            port.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 0)  # the minimum: two small pieces
            wearable = subprocess.Popen(
                [interpreter(), "-X", "heapsize=192wK", str(_SCRIPT), str(image), str(epoch_ms), str(_ERASE_MS)],
                stdin=port, stdout=port, env={**os.environ, "MICROPYPATH": f"{FIRMWARE}:{ROOT}:.frozen"},
            )  # fmt: skip
            try:
                late_ms: list[float] = []
                while len(late_ms) < LIVE_SAMPLES:
                    done = asyncio.run(drain(line.path, folder / f"{len(late_ms)}.db", device_key(CUSTODIAN)))
                    late_ms += [came_s * 1000 - epoch_ms - live.t_ms for came_s, live in done.lives]
            finally:
                wearable.kill()
                wearable.wait()
                port.close()
    return late_ms
