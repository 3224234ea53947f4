"""Run the chain on samples in this Python or in the real MicroPython interpreter; both give the same rows."""

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
    """The interpreter is missing or ended with an error; the text is one line."""


def interpreter() -> Path:
    """Path of the `micropython` that `make setup` installs beside this Python."""
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
    """One row a second; a row comes a moment later than its samples."""
    if not interpreter().exists():
        raise InterpreterError(f"{interpreter()} is missing. Run `make setup`, or use --runtime cpython.")
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
    # Without this thread both processes could block, one writing rows and the other writing samples.
    reader.start()
    try:
        # When the interpreter ends first, its exit code and last line say why.
        with contextlib.suppress(BrokenPipeError):
            for packed in _packed(samples):
                process.stdin.write(packed)
                process.stdin.flush()
                yield from _ready(rows)
            process.stdin.close()
        reader.join()
        yield from _ready(rows)
        if process.wait():
            lines = process.stderr.read().decode(errors="replace").strip().splitlines()
            last = lines[-1] if lines else ""
            raise InterpreterError(f"micropython ended with {process.returncode}: {last}")
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
    """The rows that have come so far."""
    while not rows.empty():
        yield rows.get().decode()
