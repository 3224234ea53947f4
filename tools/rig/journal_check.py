"""A wearable's journal as its flash holds it, and the agent's store held against it, record by record."""

from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any

from crs_core.errors import RemoteError
from crs_core.journal import block_layout, block_reader, record_layout, record_reader, record_types
from littlefs import LittleFS

from host_agent.store.contents import contents
from host_agent.store.db import open_read_only
from tools.data.journal_dump.report import journal
from tools.data.journal_dump.source import files_of
from tools.rig.image import read_image


class JournalDiffersError(Exception):
    """A record is missing, doubled or different; the message names the first ones."""


def flash_blocks(image: Path) -> tuple[bytes, dict[int, bytes]]:
    """(journal id, {first sequence: whole block}) of the journal in a flash image."""
    files = read_image(image)
    journal_id = _journal_id(files)
    blocks: dict[int, bytes] = {}
    for folder in ("r", "e"):
        for name in files.listdir(f"/journal/{folder}"):
            with files.open(f"/journal/{folder}/{name}", "rb") as file:
                blocks |= _whole_blocks(file.read(), journal_id)
    return journal_id, blocks


def acked_seq(image: Path) -> int:
    """What the wearable believes is stored for good, from its own flash."""
    return int(journal(files_of(image), "/journal")["acked_seq"])


def on_flash(image: Path) -> dict[int, tuple[int, Any]]:
    """{sequence: (boot, Reading or Event)} of an image; fails when a sequence stands for two contents."""
    journal_id, blocks = flash_blocks(image)
    found: dict[int, tuple[int, Any]] = {}
    for first_seq, data in sorted(blocks.items()):
        header, rows = block_reader.decode(data, journal_id)
        assert rows is not None, f"block {first_seq} is of an unknown kind"
        for seq, row in enumerate(rows, first_seq):
            assert seq not in found, f"sequence {seq} stands for two contents"
            found[seq] = (header.boot, row)
    return found


def boots(found: dict[int, tuple[int, Any]]) -> list[tuple[int, int, record_types.Boot]]:
    """(boot, t_ms, BOOT record) in order."""
    return [
        (boot, row.t_ms, record_reader.decode(row.type, row.payload))
        for _, (boot, row) in sorted(found.items())
        if isinstance(row, block_layout.Event) and row.type == record_layout.BOOT
    ]


def _whole_blocks(data: bytes, journal_id: bytes) -> dict[int, bytes]:
    found, at = {}, 0
    while at < len(data):
        try:
            raw = data[at : at + block_layout.block_len(data, at)]
            whole = block_layout.verify(raw, journal_id)
        except RemoteError:
            whole = False
        if not whole:
            at += 1  # a torn write: the next block begins somewhere behind it
            continue
        found[block_layout.parse_header(raw).first_seq] = raw
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
    with closing(open_read_only(database)) as tx:
        stored = contents(tx, journal_id)
    if stored is None:
        raise JournalDiffersError(f"the store knows no journal {journal_id.hex()}")
    differ = [f"record {seq} is stored twice" for seq in stored.twice]
    agreed = 0
    oldest: dict[bool, int] = {}  # of readings and of events: flash drops them apart
    for first_seq, data in sorted(blocks.items()):
        header, rows = block_reader.decode(data, journal_id)
        is_readings = header.kind == block_layout.KIND_READINGS
        oldest.setdefault(is_readings, first_seq)
        if first_seq > stored.cursor and first_seq not in stored.blocks:
            continue
        if stored.blocks.get(first_seq) != data:
            differ.append(f"block {first_seq}")
        held: dict[int, Any] = stored.readings if is_readings else stored.events
        for seq, row in enumerate(rows or (), first_seq):
            if held.pop(seq, (0, None))[1] == row:
                agreed += 1
            else:
                differ.append(f"record {seq}")
    alone = chain(
        (seq for seq in stored.readings if seq >= oldest.get(True, seq + 1)),
        (seq for seq in stored.events if seq >= oldest.get(False, seq + 1)),
    )
    differ += [f"record {seq} is in the store alone" for seq in sorted(alone)]
    if differ:
        raise JournalDiffersError(
            f"store and journal differ in {len(differ)} places: {', '.join(differ[:5])}"
        )
    return agreed
