"""Removes the rows of readings of patients who left long ago; their roll-ups and their blocks stay.

Only journals of an ended binding that no wearable shows now, only sequences that were re-run, and only readings that
are in the roll-ups. A step is one transaction: rows are removed, their blocks marked, and `thinnings` counts them.
"""

import logging
from typing import NamedTuple

from crs_core.errors import RemoteError
from crs_core.journal import block_layout, block_reader

from host_agent.clock import Clock
from host_agent.errors import StoreCorrupt, StoreError
from host_agent.store.db import Store, Tx
from host_agent.store.rollups import uncovered
from host_agent.store.rows import StoredReading

_LOG = logging.getLogger(__name__)
_DAY_MS = 86_400_000
_DAY_S = 86_400.0
_BLOCKS_PER_STEP = 500  # some ms of the one writer, so that no alarm waits long
_SPAN_MAX = 255  # records in one block


class Run(NamedTuple):
    """One run of retention: its start by this laptop's clock, and the setting that it follows."""

    utc_ms: int
    keep_days: int


def due_journals(tx: Tx, run: Run) -> list[int]:
    """Journals with rows to remove: the binding ended `keep_days` ago or earlier, so all its readings are older."""
    return [
        int(row[0])
        for row in tx.execute(
            "SELECT j.id FROM journals j JOIN bindings b ON b.id = j.binding WHERE b.state = 'ended'"
            " AND b.ended_utc_ms <= ? AND NOT j.is_current AND EXISTS"
            " (SELECT 1 FROM readings WHERE journal = j.id AND seq <= j.verified_seq) ORDER BY j.id",
            (run.utc_ms - run.keep_days * _DAY_MS,),
        )
    ]


def thin_step(tx: Tx, journal: int, run: Run) -> int:
    """Remove the rows of the next blocks; returns how many rows, 0 when nothing is left to do.

    StoreCorrupt, and nothing is removed, when the rows differ from the blocks.
    """
    if journal not in due_journals(tx, run):
        return 0
    lowest = tx.execute("SELECT min(seq) FROM readings WHERE journal = ?", (journal,)).fetchone()[0]
    blocks = tx.execute(
        "SELECT first_seq, last_seq FROM blocks WHERE journal = ?1 AND first_seq > ?2 - ?3 AND kind = ?4"
        " AND understood AND thinned IS NULL AND last_seq <= (SELECT verified_seq FROM journals WHERE id = ?1)"
        " ORDER BY first_seq LIMIT ?5",
        (journal, lowest, _SPAN_MAX, block_layout.KIND_READINGS, _BLOCKS_PER_STEP),
    ).fetchall()
    if not blocks:
        return 0
    first, last = blocks[0][0], blocks[-1][1]
    expected = sum(end - begin + 1 for begin, end in blocks)
    removed = tx.execute(
        "DELETE FROM readings WHERE journal = ? AND seq BETWEEN ? AND ?", (journal, first, last)
    ).rowcount
    if removed != expected:
        raise StoreCorrupt(
            f"journal row {journal}, records {first} to {last}: {removed} readings are stored, blocks hold {expected}",
            "See `cytowatch verify`; nothing was removed.",
        )
    (thinning,) = tx.execute(
        "INSERT INTO thinnings (journal, run_utc_ms, keep_days, first_seq, last_seq, readings)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (journal, run_utc_ms) DO UPDATE SET"
        " last_seq = excluded.last_seq, readings = readings + excluded.readings RETURNING id",
        (journal, run.utc_ms, run.keep_days, first, last, removed),
    ).fetchone()
    tx.execute(
        "UPDATE blocks SET thinned = ? WHERE journal = ? AND first_seq BETWEEN ? AND ? AND kind = ?"
        " AND understood AND thinned IS NULL",
        (thinning, journal, first, blocks[-1][0], block_layout.KIND_READINGS),
    )
    return removed


class Thinning(NamedTuple):
    """What one run removed from one journal: sequences from first to last, `readings` of them."""

    device: int
    journal_id: bytes
    branch: int
    run_utc_ms: int
    keep_days: int
    first_seq: int
    last_seq: int
    readings: int
    simulated: bool


def thinnings(tx: Tx) -> list[Thinning]:
    """Everything that retention removed, by wearable, oldest run first."""
    rows = tx.execute(
        "SELECT j.device, j.journal_id, j.branch, t.run_utc_ms, t.keep_days, t.first_seq, t.last_seq, t.readings,"
        " EXISTS (SELECT 1 FROM rollups r WHERE r.journal = j.id AND r.simulated)"
        " FROM thinnings t JOIN journals j ON j.id = t.journal ORDER BY j.device, t.id"
    )
    return [Thinning._make((*columns, bool(simulated))) for *columns, simulated in rows]


def thinned_readings(tx: Tx, journal: int) -> list[StoredReading]:
    """Readings of this journal that have no row any more, decoded from their blocks, in order of sequence.

    A damaged block gives none.
    """
    rows: list[StoredReading] = []
    for journal_id, raw in tx.execute(
        "SELECT j.journal_id, b.raw FROM blocks b JOIN journals j ON j.id = b.journal"
        " WHERE b.journal = ? AND b.thinned IS NOT NULL ORDER BY b.first_seq",
        (journal,),
    ):
        try:
            header, content = block_reader.decode(raw, journal_id)
        except RemoteError:
            continue
        simulated = header.flags & block_layout.FLAG_SIMULATED
        rows += [
            StoredReading._make((header.first_seq + i, header.boot, *reading, simulated))
            for i, reading in enumerate(content or ())
        ]
    return rows


class Retention:
    """Runs at the agent's start and each day after; `keep_days` is 1 or more."""

    def __init__(self, store: Store, keep_days: int, clock: Clock) -> None:
        self._store = store
        self._keep_days = keep_days
        self._clock = clock

    async def run(self) -> None:
        """Until cancelled. After a failure of the store the next try is a day later: nothing waits for this."""
        while True:
            try:
                await self.once()
            except StoreError as error:
                _LOG.warning("old readings were not removed: %s", error)
            await self._clock.sleep(_DAY_S)

    async def once(self) -> int:
        """Remove everything that is due now; returns the number of readings."""
        run = Run(self._clock.utc_ms(), self._keep_days)
        total = 0
        for journal in await self._store.read(lambda tx: due_journals(tx, run)):
            total += await self._thin(journal, run)
        if total:
            _LOG.info("%d readings removed, %d days after the end of their patients", total, self._keep_days)
        return total

    async def _thin(self, journal: int, run: Run) -> int:
        missing = await self._store.read(lambda tx: uncovered(tx, journal))
        if missing:
            _LOG.error("journal row %d: %d roll-ups lack readings, so none is removed", journal, missing)
            return 0
        total = 0
        try:
            while removed := await self._store.write(lambda tx: thin_step(tx, journal, run)):
                total += removed
        except StoreCorrupt as error:  # the other journals are not affected
            _LOG.error("%s", error)
        return total
