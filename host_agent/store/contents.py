"""Everything that a store holds: to compare it with a wearable's flash, or to sum up a run."""

from typing import NamedTuple

from crs_core.journal import block_layout
from crs_core.units import Reading

from host_agent.store.db import Tx
from host_agent.store.events import events
from host_agent.store.readings import readings
from host_agent.store.rows import StoredGap


class Contents(NamedTuple):
    """One journal with all its branches. Readings and events are (boot, record) by sequence."""

    cursor: int
    blocks: dict[int, bytes]  # by first sequence
    readings: dict[int, tuple[int, Reading]]
    events: dict[int, tuple[int, block_layout.Event]]
    gaps: list[StoredGap]
    twice: list[int]  # sequences that more than one branch holds, or that are a reading and an event


class Totals(NamedTuple):
    """Over all journals; `boots` are the different starts that events tell of, `cursor` is the highest one."""

    readings: int
    events: int
    block_bytes: int
    boots: int
    cursor: int
    gaps: int
    forks: int
    disagreements: int


def contents(tx: Tx, journal_id: bytes) -> Contents | None:
    """Everything of this journal; None when the store does not know it."""
    rows = tx.execute("SELECT id, cursor FROM journals WHERE journal_id = ?", (journal_id,)).fetchall()
    if not rows:
        return None
    found = Contents(max(cursor for _, cursor in rows), {}, {}, {}, [], [])
    for journal, _ in rows:
        found.blocks.update(tx.execute("SELECT first_seq, raw FROM blocks WHERE journal = ?", (journal,)))
        for seq, boot, *values, _simulated in readings(tx, journal):
            if seq in found.readings:
                found.twice.append(seq)
            found.readings[seq] = boot, Reading(*values)
        for event in events(tx, journal):
            if event.seq in found.readings or event.seq in found.events:
                found.twice.append(event.seq)
            found.events[event.seq] = event.boot, block_layout.Event(event.t_ms, event.type, event.payload)
        gaps = tx.execute("SELECT first_seq, last_seq, reason FROM gaps WHERE journal = ?", (journal,))
        found.gaps.extend(StoredGap(*row) for row in gaps)
    return found


def totals(tx: Tx) -> Totals:
    """How much there is of everything."""
    return Totals(
        *tx.execute(
            "SELECT (SELECT count(*) FROM readings), (SELECT count(*) FROM events),"
            " (SELECT coalesce(sum(length(raw)), 0) FROM blocks), (SELECT count(DISTINCT boot) FROM events),"
            " (SELECT coalesce(max(cursor), 0) FROM journals), (SELECT count(*) FROM gaps),"
            " (SELECT count(*) FROM forks), (SELECT count(*) FROM disagreements)"
        ).fetchone()
    )
