"""Checks the store: every block is decoded again and compared with the rows that were made of it.

The raw bytes carry their own CRC, which shows damaged blocks. The comparison shows changed, missing and added rows.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from crs_core.errors import RemoteError
from crs_core.journal import block_layout, block_reader

from host_agent.store.coverage import Coverage
from host_agent.store.db import Tx, integrity_problems
from host_agent.store.migrate import schema_version
from host_agent.store.rollup_check import Tally
from host_agent.store.schema import missing_parts, strange_parts

_PROBLEMS_MAX = 20
_PROGRESS_BLOCKS = 2000


class ContentReport(NamedTuple):
    """What was checked and found; `problems` holds at most 20, `found` counts them all.

    The rows of `thinned` readings were removed on purpose: their blocks are stored and are checked like all others.
    """

    journals: int
    blocks: int
    readings: int
    thinned: int
    events: int
    gaps: int
    found: int
    problems: list[str]


def check_content(
    tx: Tx, on_progress: Callable[[int, int], None] = lambda done, total: None
) -> ContentReport:
    """Check file, rows and coverage; `on_progress(blocks done, blocks in all)`. Reads everything, changes nothing."""
    problems = [f"file: {text}" for text in integrity_problems(tx)]
    if problems:  # rows of a damaged file are not worth checking
        return ContentReport(0, 0, 0, 0, 0, 0, len(problems), problems)
    problems += [f"schema: {part} is not of this program" for part in strange_parts(tx, schema_version(tx))]
    problems += [f"schema: {part} is missing" for part in missing_parts(tx, schema_version(tx))]
    problems += [
        f"table {row[0]}: row {row[1]} refers to nothing" for row in tx.execute("PRAGMA foreign_key_check")
    ]
    total = int(tx.execute("SELECT count(*) FROM blocks").fetchone()[0])
    journals = [
        _Journal(*row) for row in tx.execute("SELECT id, journal_id, parent, base_seq, cursor FROM journals")
    ]
    done, readings, thinned, events = 0, 0, 0, 0
    for journal in journals:
        tally, sound = Tally(), True
        for count, problem in _blocks(tx, journal, tally):
            problems += problem
            sound = sound and not problem
            done += 1
            readings += count.readings
            thinned += count.thinned
            events += count.events
            if done % _PROGRESS_BLOCKS == 0:
                on_progress(done, total)
        problems += _extra_rows(tx, journal)
        problems += _thinnings(tx, journal)
        if sound:  # damaged blocks cannot be added up
            problems += _rollups(tx, journal, tally)
        problems += _holes(tx, journal, {each.id: each for each in journals})
    on_progress(done, total)
    gaps = int(tx.execute("SELECT count(*) FROM gaps").fetchone()[0])
    return ContentReport(
        len(journals), done, readings, thinned, events, gaps, len(problems), problems[:_PROBLEMS_MAX]
    )


class _Journal(NamedTuple):
    id: int
    journal_id: bytes
    parent: int | None
    base_seq: int
    cursor: int

    def __str__(self) -> str:
        return f"journal {self.journal_id.hex()} (row {self.id})"


class _Count(NamedTuple):
    readings: int = 0
    thinned: int = 0
    events: int = 0


def _blocks(tx: Tx, journal: _Journal, tally: Tally) -> Iterator[tuple[_Count, list[str]]]:
    """The records and the problems of each block; readings are added to `tally`."""
    reader = tx.cursor()
    for first, last, kind, flags, boot, understood, thinned, raw in tx.execute(
        "SELECT first_seq, last_seq, kind, flags, boot, understood, thinned, raw FROM blocks WHERE journal = ?"
        " ORDER BY first_seq",
        (journal.id,),
    ):
        where = f"{journal}, records {first} to {last}"
        try:
            header, content = block_reader.decode(raw, journal.journal_id)
        except RemoteError as error:
            yield _Count(), [f"{where}: the block is damaged ({error.args[0]})"]
            continue
        problems = []
        if (header.first_seq, header.first_seq + header.count - 1, header.kind, header.flags, header.boot) != (
            first, last, kind, flags, boot,
        ):  # fmt: skip
            problems.append(f"{where}: the header of the block differs from its row")
        simulated = header.flags & block_layout.FLAG_SIMULATED
        if content is None or not understood:
            yield _Count(), problems  # kept as bytes until a later version decodes it
            continue
        expected: list[tuple[object, ...]]
        expected = [(first + i, boot, *record, simulated) for i, record in enumerate(content)]
        if header.kind == block_layout.KIND_READINGS:
            columns = "seq, boot, t_ms, temp_cc, spo2_tenths, hr_bpm, pi_hundredths, status, simulated"
            table, count = "readings", _Count(len(content), len(content) if thinned else 0)
            tally.add(expected)
            expected = [] if thinned else expected
        else:
            columns = "seq, boot, t_ms, type, payload, simulated"
            table, count = "events", _Count(events=len(content))
            if thinned:
                problems.append(f"{where}: events are marked as removed, which they never are")
        rows = reader.execute(
            f"SELECT {columns} FROM {table} WHERE journal = ? AND seq BETWEEN ? AND ? ORDER BY seq",  # noqa: S608 names of ours
            (journal.id, first, last),
        ).fetchall()
        if rows != expected and thinned:
            problems.append(f"{where}: {len(rows)} readings are here and are marked as removed")
        elif rows != expected:
            held = set(rows)
            differs = next((row[0] for row in expected if row not in held), first)
            problems.append(f"{where}: the {table} differ from the block, first at {differs}")
        yield count, problems


def _rollups(tx: Tx, journal: _Journal, tally: Tally) -> list[str]:
    """Five-minute roll-ups that are not what the blocks add up to."""
    wrong = tally.differences(tx, journal.id)
    if not wrong:
        return []
    boot, bucket, *_ = wrong[0]
    return [
        f"{journal}: {len(wrong)} roll-ups are not what the readings add up to, first boot {boot} bucket {bucket}"
    ]


def _thinnings(tx: Tx, journal: _Journal) -> list[str]:
    """As many readings must be marked as removed as `thinnings` counts."""
    found = []
    for first, last, removed, marked in tx.execute(
        "SELECT t.first_seq, t.last_seq, t.readings, coalesce(sum(b.last_seq - b.first_seq + 1), 0) FROM thinnings t"
        " LEFT JOIN blocks b ON b.thinned = t.id AND b.journal = t.journal AND b.first_seq >= t.first_seq"
        " AND b.last_seq <= t.last_seq WHERE t.journal = ? GROUP BY t.id",
        (journal.id,),
    ):
        if removed != marked:
            found.append(
                f"{journal}, records {first} to {last}: {removed} readings were removed, {marked} are marked as removed"
            )
    return found


def _extra_rows(tx: Tx, journal: _Journal) -> list[str]:
    """Rows that belong to no block."""
    found = []
    for table in ("readings", "events"):
        row = tx.execute(
            f"SELECT count(*), min(seq) FROM {table} AS held WHERE journal = ? AND NOT EXISTS (SELECT 1 FROM"  # noqa: S608
            " (SELECT last_seq FROM blocks WHERE journal = held.journal AND first_seq <= held.seq"
            " ORDER BY first_seq DESC LIMIT 1) WHERE last_seq >= held.seq)",
            (journal.id,),
        ).fetchone()
        if row[0]:
            found.append(f"{journal}: {row[0]} {table} that no block holds, first {row[1]}")
    return found


def _holes(tx: Tx, journal: _Journal, journals: dict[int, _Journal]) -> list[str]:
    """Every sequence up to the cursor was acknowledged, so it must be held, or be in a gap."""
    held = Coverage()
    at: _Journal | None = journal
    limit = journal.cursor
    while at is not None:
        for first, last in tx.execute(
            "SELECT first_seq, min(last_seq, ?1) FROM blocks WHERE journal = ?2 AND first_seq <= ?1 UNION ALL"
            " SELECT first_seq, min(last_seq, ?1) FROM gaps WHERE journal = ?2 AND first_seq <= ?1 ORDER BY 1",
            (limit, at.id),
        ):
            held.add(first, last)
        limit = min(limit, at.base_seq)
        at = journals.get(at.parent) if at.parent is not None else None
    return [
        f"{journal}: records {first} to {last} were acknowledged and are not here"
        for first, last in held.missing(1, journal.cursor)
    ] if journal.cursor else []  # fmt: skip
