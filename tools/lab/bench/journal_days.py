"""How many days of readings stay on a wearable without a host, by the journal's own rules.

The bench runs the journal's own code: segments of 8 KiB with whole blocks only, file sizes rounded up to flash blocks,
three quarters of the budget for readings, and the oldest segment deleted when the next block does not fit. The figure
is for the worst moment, just after a segment was deleted.
"""

import itertools
import tempfile
from collections.abc import Iterable, Mapping, Sequence

from crs_device.journal import chain, space

from tools.board import build_firmware
from tools.lab.bench.measuring import Row

DAYS = {(1, 1_400_000): 14, (2, 2_000_000): 30}
BUDGETS = (1_400_000, 2_000_000)
FLASHES = (
    ("Pico 2 W", "pico2_w", "armv7emsp", 2_621_440),
    ("ESP32-S3 of 4 MB", "esp32_s3", "xtensawin", 2_097_152),
)
_DAY_MS = 86_400_000


def days(blocks: Sequence[bytes], block_ms: int, budget: int) -> float:
    """Least days of readings in a journal of `budget` bytes that gets one of `blocks` every `block_ms`."""
    quota = budget - budget // 4
    worst = None
    with tempfile.TemporaryDirectory() as folder:
        readings = chain.Chain(folder, b"", space.SEAL_READINGS)
        readings.load()
        dropped = 0
        for number, data in enumerate(itertools.cycle(blocks), 1):
            if space.make_room(readings, readings.growth(len(data)), quota):
                dropped += 1
                held = number - readings.floor()
                worst = held if worst is None else min(worst, held)
            if dropped == 20:
                break
            readings.append(number, data)
    assert worst is not None
    return worst * block_ms / _DAY_MS


def slot_bytes(board: str, march: str) -> int:
    """Size of one application."""
    return len(build_firmware.bundle(build_firmware.compile_application(board, march)))


def rows(name: str, blocks: Mapping[int, Sequence[bytes]], block_ms: int) -> Iterable[Row]:
    """Rows for `blocks` of each codec, one every `block_ms`."""
    for budget in BUDGETS:
        for codec, data in blocks.items():
            figure = days(data, block_ms, budget)
            label = f"days in a journal of {budget / 1e6:.1f} MB, codec {codec}, {name}"
            least = DAYS.get((codec, budget))
            target = (f">= {least} d", figure >= least) if least else ("no target", None)
            yield label, f"{figure:.1f} d", *target
    for board, file, march, flash in FLASHES:
        slot = slot_bytes(file, march)
        most = (flash - 2 * slot) // 1024
        figure = f"two applications of {slot / 1e3:.0f} kB leave {most} KiB of {flash // 1024}"
        yield f"flash for a journal, {board}", figure, "no target", None
