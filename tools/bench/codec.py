"""Codec 1: bytes per reading on the wire with everything in, and the time to encode and decode one reading.

Peers on similar data, B per reading before any header, seal or frame: JSON array 33, CBOR array 20, packed struct 16.
"""

import json
import tempfile
import timeit
from collections.abc import Iterable

from crs_core import block
from crs_core.units import Reading
from crs_core.wire import frame, message, sealed

from tests.mp import ROOT, run_micropython
from tools.bench import series

SCRIPT = ROOT / "tools" / "bench" / "micropython" / "codec_cost.py"
JOURNAL = bytes(range(8))
BLOCKS_PER_MESSAGE, BYTES_PER_MESSAGE = 16, 2048  # what the wearable's pump puts into one BLOCK message
ENCODE_US, DECODE_US = 3.0, 2.0
WIRE_BYTES = {12: 7.6, 60: 5.8}


def blocks_of(readings: list[Reading], per_block: int) -> list[bytes]:
    """Whole blocks of `per_block` readings, as the journal closes them."""
    whole = len(readings) // per_block * per_block
    return [
        block.encode_readings(JOURNAL, 3, 1 + at, readings[at : at + per_block], block.FLAG_SIMULATED)
        for at in range(0, whole, per_block)
    ]


def wire_bytes(blocks: list[bytes]) -> int:
    """Bytes that a serial line carries for them: messages of several blocks, sealed, framed, stuffed."""
    sealer = sealed.Sealer(bytes(16), bytes(16), sealed.TAG_TO_HOST)
    total, held = 0, []
    for data in [*blocks, None]:
        full = len(held) == BLOCKS_PER_MESSAGE
        if held and (data is None or full or sum(map(len, held)) + len(data) > BYTES_PER_MESSAGE):
            plaintext = message.encode(message.Block(b"".join(held)))
            total += len(frame.encode(sealer.seal(plaintext), False))
            held = []
        held.append(data)
    return total


def decode_us(readings: list[Reading], per_block: int) -> float:
    """Microseconds per reading to verify and decode on this Python, best of 50."""
    blocks = blocks_of(readings[: per_block * 40], per_block)
    best = min(timeit.repeat(lambda: [block.decode(data, JOURNAL) for data in blocks], number=1, repeat=50))
    return best / (len(blocks) * per_block) * 1e6


def encode_us(readings: list[Reading], per_block: int) -> float:
    """Microseconds per reading to encode a whole block on MicroPython unix, best of 80 batches."""
    rows = [list(row) for row in readings[:60]]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:  # an argument may have 255 bytes there
        json.dump(rows, file)
        file.flush()
        done = run_micropython(SCRIPT, str(per_block), file.name)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return float(done.stdout)


def rows() -> Iterable[tuple[str, str, str, bool]]:
    """(name, figure, target, reached)."""
    sources = [
        ("made day at 10 s", series.made_day()),
        ("recorded desaturation at 1 s", series.recorded(1)),
        ("recorded desaturation at 10 s, 100 to 65 % in minutes", series.recorded(10)),
    ]
    for name, readings in sources:
        if not readings:
            yield f"codec 1 on the wire, {name}", f"skipped: no recordings in {series.data_dir()}", "-", True
            continue
        for per_block, target in WIRE_BYTES.items():
            blocks = blocks_of(readings, per_block)
            each = wire_bytes(blocks) / (len(blocks) * per_block)
            flash = sum(map(len, blocks)) / (len(blocks) * per_block)
            figure = f"{each:.2f} B/reading (on flash {flash:.2f})"
            yield (
                f"codec 1 on the wire, {per_block} per block, {name}",
                figure,
                f"<= {target} B",
                each <= target,
            )
    day = sources[0][1]
    for per_block in WIRE_BYTES:
        us = encode_us(day, per_block)
        yield (
            f"encode, MicroPython unix, {per_block} per block",
            f"{us:.2f} us/reading",
            f"<= {ENCODE_US:.0f} us",
            us <= ENCODE_US,
        )
        us = decode_us(day, per_block)
        yield (
            f"decode, CPython, {per_block} per block",
            f"{us:.2f} us/reading",
            f"<= {DECODE_US:.0f} us",
            us <= DECODE_US,
        )
