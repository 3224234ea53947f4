"""The journal on flash: reads, heap and time of a start, and how long the flash lasts.

MicroPython unix and its LittleFS are real, on an image in a file. No erase or read time of a chip is modelled, so the
time of a start is computing time only. There are two images: a full journal of 1.4 MB, and the product's own flash (352
sectors with the application on it, 1 MiB of journal, full).

Heap: the smallest free piece in which a start succeeds when all other heap is in use. Words have 8 bytes on this
machine and 4 on a chip. The index consists of words, so on a chip it needs half.

Reads of a segment are counted as flash sees them, with LittleFS's read-ahead. A start goes once through the newest
segments for the last block, reads that block again for its time, and the newest events again for the last states.

Wear: days as in `micropython/lived.py` (a reading every 10 s, an assumed rate of events, a host that acknowledges all
the time, one boot, two changes of settings and one of keys a day). Erases are counted below LittleFS and assigned to
the file that caused them. A sector lasts 100 000 erases. LittleFS uses free blocks in turn and does not move unchanged
files, so the application's sectors do not share the wear. The target is compared with the worst sector of the measured
days, as if it always stayed the worst. In fact the journal turns over every 13 days and frees other sectors; the
measured span has two such turns, and over years the wear approaches the even spread.

The plain logs append each reading to files of the same size; two hours are scaled to a day. For all logs, written bytes
are divided by the same records: 16 bytes a reading as a packed struct, and the payloads of the events.
"""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tools.lab.bench.measuring import Row, words_of
from tools.rig.image import build_image
from tools.rig.micropython import ROOT

SCRIPTS = ROOT / "tools" / "lab" / "bench" / "micropython"
SECTORS, BUDGET = 384, 1_400_000
PRODUCT_BUDGET = 1 << 20
DAYS = 28
ENDURANCE = 100_000
STRUCT_BYTES = 16
START_MS, START_HEAP, LIFE_YEARS = 20.0, 16.0, 10.0
_TRIES = 3


class Log(NamedTuple):
    """Erases of a log in a day, and bytes programmed for each byte of its records."""

    erases: float
    amplification: float


def run(script: str, *args: str, heap: str = "2M") -> list[list[str]]:
    """Words of each line that one of SCRIPTS prints; RuntimeError when it failed."""
    return words_of(SCRIPTS / script, *args, heap=heap, timeout_s=400, as_it_is=True)


def rows() -> Iterable[Row]:
    with tempfile.TemporaryDirectory(prefix="cytowatch-journal-") as folder:
        yield from _start(Path(folder))
        yield from _wear(Path(folder))


def _start(folder: Path) -> Iterable[Row]:
    image = str(folder / "full.img")
    [[records, days]] = run("journal_fill.py", image, str(SECTORS), str(BUDGET))

    def opened(what: str) -> list[list[str]]:
        return run("journal_open.py", what, image, str(BUDGET), heap="192wK")

    [us, reads, size] = min((opened("time")[0] for _ in range(_TRIES)), key=lambda line: int(line[0]))
    took_ms = int(us) / 1000
    yield (
        f"start on a full 1.4 MB journal ({int(records):,} records, {days} days), MicroPython unix",
        f"{took_ms:.1f} ms, {int(size) // 256} pages of 256 B in {reads} reads",
        f"<= {START_MS:g} ms",
        took_ms <= START_MS,
    )
    [[room, taken]] = opened("room")
    chip = (int(room) - int(taken) / 2) / 1024
    yield (
        "start on a full 1.4 MB journal, heap at its peak",
        f"{int(room) / 1024:.1f} KiB on 8-byte words, {int(taken) / 1024:.1f} of it the index that stays;"
        f" {chip:.1f} KiB with the index halved as on a chip",
        f"<= {START_HEAP:g} KiB",
        chip <= START_HEAP,
    )
    yield _segments_read(opened("reads"))


def _segments_read(lines: list[list[str]]) -> Row:
    """Each line is `file reads bytes segment_bytes`, or `lookup` or `small` with a size of 0."""
    read = {name: (int(size), int(whole)) for name, _, size, whole in lines if name.endswith(".seg")}
    newest = {max(name for name in read if name.startswith(chain)) for chain in ("r/", "e/")}
    others = [size for name, (size, _) in read.items() if name not in newest]
    worst = max(others, default=0)
    whole = " and ".join(f"{read[name][0]} B of {read[name][1]} B" for name in sorted(newest))
    elsewhere = sum(int(line[2]) for line in lines if not line[0].endswith(".seg")) // 1024
    return (
        f"start on a full 1.4 MB journal, content read of {len(read)} segment files",
        f"newest of each chain {whole}; of any other {worst} B (directories and slots {elsewhere} KiB)",
        "a whole segment of each chain, a header of each other",
        worst <= 256,
    )


def _wear(folder: Path) -> Iterable[Row]:
    image = str(build_image(folder / "product.img"))
    run("journal_fill.py", image, "0", str(PRODUCT_BUDGET))
    lines = run("journal_wear.py", image, str(PRODUCT_BUDGET), str(DAYS), str(folder / "blank.img"))
    erases = {name: int(count) / DAYS for kind, name, count, *_ in lines if kind == "area"}
    a_day = sum(erases.values())
    areas = ", ".join(f"{name} {erases.get(name, 0):.1f}" for name in _AREAS)
    yield "flash, erases a day by area", f"{a_day:.0f}: {areas}", "counted below LittleFS", None
    [[_, sectors, static, free, most]] = [line for line in lines if line[0] == "sectors"]
    even = ENDURANCE * (int(sectors) - int(static)) / a_day / 365
    worst = ENDURANCE * DAYS / int(most) / 365
    yield (
        f"flash, life at {ENDURANCE:,} erases a sector, {sectors} sectors ({static} at rest, {free} free)",
        f"{worst:.0f} years by the worst sector of {DAYS} days ({most} erases), {even:.0f} years spread evenly",
        f">= {LIFE_YEARS:g} years",
        worst >= LIFE_YEARS,
    )
    logs = {name: _log(*map(int, rest)) for kind, name, *rest in lines if kind == "log"}
    ours = logs.pop("journal")
    peers = "; ".join(
        f"{_PEERS[name]} {log.amplification:.0f} x, {log.erases:.0f} erases" for name, log in logs.items()
    )
    yield (
        "flash, bytes programmed for each byte of the records, and erases a day",
        f"{ours.amplification:.0f} x, {ours.erases:.0f} erases; {peers}",
        "fewer than both",
        all(ours.amplification < log.amplification and ours.erases < log.erases for log in logs.values()),
    )


_AREAS = ("readings", "events", "mark", "boot", "settings")
_PEERS = {"struct": "a struct appended for each reading", "json": "a JSON line appended for each reading"}


def _log(readings: int, erases: int, programmed: int, events: int) -> Log:
    return Log(erases * 8640 / readings, programmed / (readings * STRUCT_BYTES + events))
