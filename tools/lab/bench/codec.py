"""The codecs of readings: bytes per reading with all overhead, time per reading, and the days that fit on a wearable.

Other formats on similar data, B per reading without header, seal or frame: JSON array 33, CBOR array 20, struct 16.
Codec 2 is worth its cost if its blocks are at least 15 % smaller than those of codec 1 (delta rows).
"""

import json
import tempfile
import timeit
from collections.abc import Callable, Iterable

from crs_core.journal import block_layout, block_reader, block_writer
from crs_core.units import Reading
from crs_core.wire import frame, message, sealed

from tools.lab.bench import journal_days, series
from tools.lab.bench.measuring import Row, words_of
from tools.rig import codec1_writer
from tools.rig.micropython import ROOT

SCRIPT = ROOT / "tools" / "lab" / "bench" / "micropython" / "codec_cost.py"
JOURNAL = bytes(range(8))
BLOCKS_PER_MESSAGE, BYTES_PER_MESSAGE = 16, 2048  # what the wearable's pump puts into one BLOCK message
WRITTEN, MERGED = 12, 60  # readings in a block of 120 s, and in five of them merged into one
ENCODE_US, DECODE_US = {1: 3.0, 2: 20.0}, 2.0
WIRE_BYTES = {(1, 12): 7.6, (1, 60): 5.8}
FLASH_BYTES = {(2, 12): 5.3, (2, 60): 3.0}
GAIN_PCT = 15.0
ENCODERS: dict[int, Callable[..., bytes]] = {
    1: codec1_writer.encode_readings,
    2: block_writer.encode_readings,
}


def blocks_of(codec: int, readings: list[Reading], per_block: int) -> list[bytes]:
    """Full blocks of `per_block` readings, as the journal closes them."""
    whole = len(readings) // per_block * per_block
    return [
        ENCODERS[codec](JOURNAL, 3, 1 + at, readings[at : at + per_block], block_layout.FLAG_SIMULATED)
        for at in range(0, whole, per_block)
    ]


def wire_bytes(blocks: list[bytes]) -> int:
    """Bytes on a serial line for these blocks: messages of several blocks, sealed, framed and stuffed."""
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


def decode_us(codec: int, readings: list[Reading], per_block: int) -> float:
    """Microseconds per reading to verify and decode on this Python, best of 200."""
    blocks = blocks_of(codec, readings[: per_block * 40], per_block)
    times_s = timeit.repeat(lambda: [block_reader.decode(b, JOURNAL) for b in blocks], number=1, repeat=200)
    return min(times_s) / (len(blocks) * per_block) * 1e6


def encode_us(codec: int, readings: list[Reading], per_block: int) -> float:
    """Microseconds per reading to encode a whole block on MicroPython unix, best of 80 batches."""
    rows = [list(row) for row in readings[:60]]
    # The rows go in a file, because MicroPython takes arguments of 255 bytes at most.
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(rows, file)
        file.flush()
        [[us]] = words_of(SCRIPT, str(per_block), file.name, str(codec))
    return float(us)


def _bytes(name: str, readings: list[Reading]) -> Iterable[Row]:
    flash = {}
    for per_block in (WRITTEN, MERGED):
        for codec in ENCODERS:
            blocks = blocks_of(codec, readings, per_block)
            wire = wire_bytes(blocks) / (len(blocks) * per_block)
            flash[codec] = sum(map(len, blocks)) / (len(blocks) * per_block)
            label = f"codec {codec}, {per_block} per block, {name}"
            figure = f"{flash[codec]:.2f} B/reading on flash, {wire:.2f} on the wire"
            if (codec, per_block) in WIRE_BYTES:
                most = WIRE_BYTES[codec, per_block]
                yield label, figure, f"<= {most} B on the wire", wire <= most
            else:
                most = FLASH_BYTES[codec, per_block]
                yield label, figure, f"<= {most} B on flash", flash[codec] <= most
        gain = 100 - 100 * flash[2] / flash[1]
        label = f"codec 2 against codec 1, {per_block} per block, {name}"
        yield label, f"{gain:.0f} % fewer bytes", f">= {GAIN_PCT:.0f} %", gain >= GAIN_PCT


def _times(readings: list[Reading]) -> Iterable[Row]:
    for codec in ENCODERS:
        for per_block in (WRITTEN, MERGED):
            us, most = encode_us(codec, readings, per_block), ENCODE_US[codec]
            name = f"codec {codec}, {per_block} per block"
            yield f"encode, MicroPython unix, {name}", f"{us:.2f} us/reading", f"<= {most:.0f} us", us <= most
            us, most = decode_us(codec, readings, per_block), DECODE_US
            yield f"decode, CPython, {name}", f"{us:.2f} us/reading", f"<= {most:.0f} us", us <= most


def rows() -> Iterable[Row]:
    made = series.made_week()
    sources = [
        ("made week at 10 s", made),
        ("recorded desaturation at 1 s", series.recorded(1)),
        ("recorded desaturation at 10 s, 100 to 65 % in minutes", series.recorded(10)),
    ]
    for name, readings in sources:
        if readings:
            yield from _bytes(name, readings)
        else:
            yield f"codecs, {name}", f"skipped: no recordings in {series.data_dir()}", "-", True
    yield from _times(made)
    name, readings = next((name, rows) for name, rows in reversed(sources) if rows)
    blocks = {codec: blocks_of(codec, readings, WRITTEN) for codec in ENCODERS}
    yield from journal_days.rows(name, blocks, WRITTEN * series.STEP_MS)
