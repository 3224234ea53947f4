"""What a store holds, whole: for comparing it with a wearable's flash, and for whoever sums up a run."""

from typing import NamedTuple

from crs_core.journal import block_layout
from crs_core.units import Reading

from host_agent.store.db import Tx
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


class AlarmChange(NamedTuple):
    """One change of a wearable's alarm; priority 0 is its end."""

    seq: int
    t_ms: int
    alarm: int
    priority: int


def contents(tx: Tx, journal_id: bytes) -> Contents | None:
    """Everything of this journal; None when the store does not know it."""
    rows = tx.execute("SELECT id, cursor FROM journals WHERE journal_id = ?", (journal_id,)).fetchall()
    if not rows:
        return None
    found = Contents(max(cursor for _, cursor in rows), {}, {}, {}, [], [])
    for journal, _ in rows:
        found.blocks.update(tx.execute("SELECT first_seq, raw FROM blocks WHERE journal = ?", (journal,)))
        for seq, boot, *values in tx.execute(
            "SELECT seq, boot, t_ms, temp_cc, spo2_tenths, hr_bpm, pi_hundredths, status FROM readings"
            " WHERE journal = ?",
            (journal,),
        ):
            if seq in found.readings:
                found.twice.append(seq)
            found.readings[seq] = boot, Reading(*values)
        for seq, boot, *values in tx.execute(
            "SELECT seq, boot, t_ms, type, payload FROM events WHERE journal = ?", (journal,)
        ):
            if seq in found.readings or seq in found.events:
                found.twice.append(seq)
            found.events[seq] = boot, block_layout.Event(*values)
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


def journal_ids(tx: Tx) -> list[bytes]:
    """Every journal that a wearable ever had, in the order in which they were first seen."""
    return [row[0] for row in tx.execute("SELECT journal_id FROM journals GROUP BY 1 ORDER BY min(id)")]


def verified_seqs(tx: Tx) -> list[int]:
    """Up to where the steps of each current journal were run again, by device."""
    rows = tx.execute("SELECT verified_seq FROM journals WHERE is_current ORDER BY device")
    return [row[0] for row in rows]


def event_payloads(tx: Tx, kind: int) -> list[bytes]:
    """Payloads of one type of event over all journals, in order."""
    rows = tx.execute("SELECT payload FROM events WHERE type = ? ORDER BY journal, seq", (kind,))
    return [row[0] for row in rows]


def bound_readings(tx: Tx) -> list[Reading]:
    """Readings that belong to a patient, in order."""
    rows = tx.execute(
        "SELECT t_ms, temp_cc, spo2_tenths, hr_bpm, pi_hundredths, status FROM readings"
        " JOIN journals ON id = journal WHERE binding IS NOT NULL ORDER BY journal, seq"
    )
    return [Reading(*row) for row in rows]


def bound_grades(tx: Tx) -> list[tuple[int | None, int | None, int]]:
    """(lower, upper, fever) of every grade of a patient, in order."""
    return tx.execute(
        "SELECT lower, upper, fever FROM grades JOIN journals ON id = journal WHERE binding IS NOT NULL"
        " ORDER BY journal, seq"
    ).fetchall()


def bound_alarm_changes(tx: Tx) -> list[AlarmChange]:
    """Changes of a wearable's alarms while a patient was bound, in order."""
    rows = tx.execute(
        "SELECT seq, t_ms, alarm, priority FROM alarm_changes JOIN journals ON id = journal"
        " WHERE binding IS NOT NULL ORDER BY journal, seq, alarm"
    )
    return [AlarmChange(*row) for row in rows]


def host_alarms_raised(tx: Tx) -> list[tuple[int, int]]:
    """(alarm, priority) of everything that the host itself raised, in order, ended or not."""
    return tx.execute("SELECT alarm, priority FROM host_alarms ORDER BY id").fetchall()
