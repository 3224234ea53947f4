"""The firmware's heap: bytes free after its start on the virtual wearable."""

import os
import select
import subprocess
import sys
import tempfile
import time
import tty
from collections.abc import Iterator
from pathlib import Path

from tools.lab.bench.measuring import Row
from tools.rig.image import build_image

ROOT = Path(__file__).resolve().parents[3]
HEAP = "192wK"
TARGET_FREE_PCT = 40.0
_DEADLINE_S = 30

# main.py with the last step replaced: it prints the free heap instead of running the tasks.
_MAIN = b"""
import gc, sys
gc.threshold(4096)
import crs_device.tasks as tasks
async def tell(app):
    gc.collect()
    whole = app.monitor and app.sampling and app.servers and not app.log.is_faulty
    sys.stdout.write("HEAP %d %d\\n" % (gc.mem_free(), bool(whole)))
tasks.run_all = tell
from crs_device.app import run
run(sys.modules["boot_guard"])
"""


def free_heap_after_start(*options: str) -> tuple[int, int]:
    """(bytes free, bytes of the heap that --heap names) once every subsystem is up and before the tasks run.

    `options` go to the virtual wearable.
    """
    with tempfile.TemporaryDirectory() as folder:
        image = build_image(Path(folder) / "flash.img", extra={"/main.py": _MAIN})
        command = [
            sys.executable, "-m", "tools.virtual_wearable", "--scenario",
            str(ROOT / "tools/virtual_wearable/scenarios/fever.toml"),
            "--image", str(image), "--heap", HEAP, *options,
        ]  # fmt: skip
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        try:
            assert process.stdout is not None
            port = process.stdout.readline().split()[1]
            free, is_whole = _answer(port)
        finally:
            process.terminate()
            process.wait(10)
    if not is_whole:
        raise RuntimeError("a part of the firmware did not start, so its heap figure would be too good")
    return free, int(HEAP[:-2]) * 2 * 1024


def _answer(port: str) -> list[int]:
    fd = os.open(port, os.O_RDWR | os.O_NOCTTY)
    try:
        tty.setraw(fd)
        text, deadline_s = b"", time.monotonic() + _DEADLINE_S
        while time.monotonic() < deadline_s:
            if select.select([fd], [], [], 0.2)[0]:
                text += os.read(fd, 4096)
            for line in text.split(b"\n")[:-1]:
                if line.startswith(b"HEAP "):
                    return [int(word) for word in line.split()[1:]]
    finally:
        os.close(fd)
    raise RuntimeError(f"the firmware printed no heap figure: {text[-300:]!r}")


def rows() -> Iterator[Row]:
    free, total = free_heap_after_start()
    percent, least = 100 * free / total, TARGET_FREE_PCT
    figure = f"{percent:.1f} % ({free // 1024} of {total // 1024} KiB)"
    yield f"free heap after start, {HEAP}", figure, f">= {least:.0f} %", percent >= least
