"""Hold the agent's store against the wearable's own flash, record by record."""

import sqlite3
from pathlib import Path

from crs_core import block
from crs_core.errors import RemoteError
from littlefs import LittleFS

SECTOR = 4096


class JournalDiffersError(Exception):
    """A record is missing, doubled or different; the message names the first ones."""


def flash_blocks(image: Path) -> tuple[bytes, dict[int, bytes]]:
    """(journal id, {first sequence: whole block}) of the journal in a flash image."""
    content = bytearray(image.read_bytes())
    files = LittleFS(
        block_size=SECTOR,
        block_count=len(content) // SECTOR,
        read_size=256,
        prog_size=256,
        lookahead_size=32,
        mount=False,
    )
    files.context.buffer = content
    files.mount()
    journal_id = _journal_id(files)
    blocks: dict[int, bytes] = {}
    for chain in ("r", "e"):
        for name in files.listdir(f"/journal/{chain}"):
            with files.open(f"/journal/{chain}/{name}", "rb") as file:
                data = file.read()
            blocks |= _whole_blocks(data, journal_id)
    return journal_id, blocks


def _whole_blocks(data: bytes, journal_id: bytes) -> dict[int, bytes]:
    found, at = {}, 0
    while at < len(data):
        try:
            raw = data[at : at + block.block_len(data, at)]
            whole = block.verify(raw, journal_id)
        except RemoteError:
            whole = False
        if not whole:
            at += 1  # a torn write: the next block begins somewhere behind it
            continue
        found[block.parse_header(raw).first_seq] = raw
        at += len(raw)
    return found


def _journal_id(files: LittleFS) -> bytes:
    newest = (0, b"")
    for slot in ("0", "1"):
        try:
            with files.open(f"/journal/header.{slot}", "rb") as file:
                data = file.read()
        except FileNotFoundError:
            continue
        newest = max(newest, (int.from_bytes(data[:4], "little"), data[7:15]))
    return newest[1]


def compare(image: Path, database: Path) -> int:
    """Return how many records agree; JournalDiffersError names what does not.

    Up to the store's cursor every record must be there. Behind it, only what has overtaken the backlog (events) is.
    """
    journal_id, blocks = flash_blocks(image)
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as store:
        row = store.execute("SELECT id, cursor FROM journals WHERE journal_id = ?", (journal_id,)).fetchone()
        if row is None:
            raise JournalDiffersError(f"the store knows no journal {journal_id.hex()}")
        journal, cursor = row
        stored = dict(store.execute("SELECT first_seq, raw FROM blocks WHERE journal = ?", (journal,)))
        readings = {
            seq: tuple(values)
            for seq, *values in store.execute(
                "SELECT seq, t_ms, temp_cc, spo2_tenths, hr_bpm, pi_hundredths, status FROM readings WHERE journal = ?",
                (journal,),
            )
        }
        events = {
            seq: tuple(values)
            for seq, *values in store.execute(
                "SELECT seq, t_ms, type, payload FROM events WHERE journal = ?", (journal,)
            )
        }
    differ: list[str] = []
    agreed = 0
    oldest: dict[bool, int] = {}  # of readings and of events: flash drops them apart
    for first_seq, data in sorted(blocks.items()):
        header, records = block.decode(data, journal_id)
        oldest.setdefault(header.kind == block.KIND_READINGS, first_seq)
        if first_seq > cursor and first_seq not in stored:
            continue
        if stored.get(first_seq) != data:
            differ.append(f"block {first_seq}")
        rows = readings if header.kind == block.KIND_READINGS else events
        for offset, record in enumerate(records or ()):
            if rows.pop(first_seq + offset, None) == tuple(record):
                agreed += 1
            else:
                differ.append(f"record {first_seq + offset}")
    for is_reading, rows in ((True, readings), (False, events)):
        if is_reading in oldest:
            alone = [seq for seq in sorted(rows) if seq >= oldest[is_reading]]
            differ += [f"record {seq} is in the store alone" for seq in alone]
    if differ:
        raise JournalDiffersError(
            f"store and journal differ in {len(differ)} places: {', '.join(differ[:5])}"
        )
    return agreed
