"""Simulated time: how long an hour of a recording takes, and whether a busy machine changes anything of a mission."""

import contextlib
import hashlib
import io
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from host_agent.store.db import open_read_only
from host_agent.store.host_alarms import host_alarms
from tools.conductor.process_random import drawn_from
from tools.demo import mission
from tools.lab.bench.measuring import Row
from tools.rig.image import CUSTODIAN, build_image
from tools.rig.laptop import Laptop
from tools.rig.stored import bound_alarm_changes, bound_grades, bound_readings
from tools.rig.wearable import Wearable

_HOUR_S = 3600
_SHORT_S = 600
_SPEED = 60
_RUNS = 5
_LOOPS = 8


def _recording(folder: Path, seconds: int) -> Path:
    """A fever that rises by one degree an hour, with a saturation that falls."""
    rows = ["t_s,temp_c,spo2_pct,hr_bpm,pi_pct"]
    rows += [
        f"{t},{37.2 + t / 3600:.2f},{97 - t / 1200:.1f},{80 + t / 240:.0f},1.5"
        for t in range(0, seconds + 1, 60)
    ]
    path = folder / "recording.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def _fly(seconds: int) -> tuple[str, float]:
    """(what a mission left: line, store, journal and deliveries in one hash; seconds of this computer)."""
    with (
        tempfile.TemporaryDirectory(prefix="same-") as temporary,
        contextlib.redirect_stdout(io.StringIO()),
        drawn_from("same run"),
    ):
        folder = Path(temporary)
        build_image(folder / "flash.img", binding_id=None)

        def enrol(_: Wearable, laptop: Laptop) -> None:
            laptop.enrol(CUSTODIAN)

        begun_s = time.monotonic()
        played = {"recording": _recording(folder, seconds)}
        outcome = mission.run(folder, played, _SPEED, prepare=enrol, seed=1)
        took_s = time.monotonic() - begun_s
        left = hashlib.sha256(outcome.line.encode() + (folder / "flash.img").read_bytes())
        with contextlib.closing(open_read_only(folder / "bedside" / "cytowatch.db")) as tx:
            for stored in (bound_readings, bound_grades, bound_alarm_changes, host_alarms):
                left.update(repr(stored(tx)).encode())
        left.update(repr(outcome.events).encode())
        return left.hexdigest(), took_s


@contextlib.contextmanager
def _busy() -> Iterator[None]:
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(_LOOPS)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def rows() -> Iterator[Row]:
    """Seconds for an hour; of the runs beside busy loops, how many left what an idle one left."""
    _, took_s = _fly(_HOUR_S)
    yield (
        "an hour of a recording in simulated time, agent and receiver included",
        f"{took_s:.1f} s",
        "<= 15 s",
        took_s <= 15,
    )
    idle, _ = _fly(_SHORT_S)
    again, _ = _fly(_SHORT_S)
    yield (
        "one seed twice: journal, store and deliveries",
        "the same" if idle == again else "different",
        "the same bytes",
        idle == again,
    )
    with _busy():
        same = sum(_fly(_SHORT_S)[0] == idle for _ in range(_RUNS))
    yield (
        f"missions beside {_LOOPS} busy loops that left the same bytes",
        f"{same} of {_RUNS}",
        "all",
        same == _RUNS,
    )
