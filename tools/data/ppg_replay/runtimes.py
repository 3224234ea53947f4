"""Run the chain on samples here (CPython) or in the real MicroPython interpreter; the rows are the same bytes."""

import contextlib
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import IO

from tools.data.ppg_replay import FIRMWARE
from tools.data.ppg_replay.chain import LOST, PER_SECOND, SAMPLE, SAMPLE_BYTES, Replay
from tools.data.ppg_replay.resample import Count

_LOST = (LOST, LOST)


class InterpreterError(Exception):
    """The interpreter is not there or ended with an error; one line."""


def interpreter() -> Path:
    """The `micropython` that `make setup` put beside this Python."""
    return Path(sys.executable).parent / "micropython"


def on_cpython(samples: Iterable[Count], ir_only: bool) -> Iterator[str]:
    """One row a second."""
    replay = Replay(ir_only)
    for sample in samples:
        row = replay.take(*(sample or _LOST))
        if row:
            yield row
    row = replay.end()
    if row:
        yield row


def on_micropython(samples: Iterable[Count], ir_only: bool) -> Iterator[str]:
    """One row a second; they come a moment later than their samples."""
    if not interpreter().exists():
        raise InterpreterError(f"{interpreter()} is not there: run `make setup`, or use --runtime cpython")
    script = Path(__file__).parent / "chain.py"
    process = subprocess.Popen(
        [interpreter(), "-X", "heapsize=1M", script, "ir-only" if ir_only else "red-and-ir"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "MICROPYPATH": f"{FIRMWARE}:{FIRMWARE.parent}:.frozen"},
        start_new_session=True,  # Ctrl-C is for this process, which then ends the other
    )  # fmt: skip
    assert process.stdin and process.stdout and process.stderr
    rows: SimpleQueue[bytes] = SimpleQueue()
    reader = threading.Thread(target=_read, args=(process.stdout, rows), daemon=True)
    reader.start()  # or both would wait: one to write rows, the other to write samples
    try:
        with contextlib.suppress(BrokenPipeError):  # it ended first; its exit code and last line say why
            for packed in _packed(samples):
                process.stdin.write(packed)
                process.stdin.flush()
                yield from _ready(rows)
            process.stdin.close()
        reader.join()
        yield from _ready(rows)
        if process.wait():
            lines = process.stderr.read().decode(errors="replace").strip().splitlines()
            raise InterpreterError(
                f"micropython ended with {process.returncode}: {lines[-1] if lines else ''}"
            )
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stdout.close()
        process.stderr.close()


def _packed(samples: Iterable[Count]) -> Iterator[bytes]:
    """The samples as the script reads them, a second at a time."""
    pack = struct.Struct(SAMPLE).pack
    held = bytearray()
    for sample in samples:
        held += pack(*(sample or _LOST))
        if len(held) == PER_SECOND * SAMPLE_BYTES:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


def _read(stdout: IO[bytes], rows: "SimpleQueue[bytes]") -> None:
    for row in stdout:
        rows.put(row)


def _ready(rows: "SimpleQueue[bytes]") -> Iterator[str]:
    """The rows that are there by now."""
    while not rows.empty():
        yield rows.get().decode()
