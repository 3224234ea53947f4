"""Does the store hold what the wearable numbered, each record once? Every record is compared, none is sampled.

A loss: a number that was on flash and is not in the store, or differs there; a number up to the head that nobody can
account for. A duplicate: a reading under two numbers, a fork, a row that the wearable never wrote. Readings that the
wearable lost before they had a number are no losses; it states them in the BOOT record, and that must be true.
"""

import itertools
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from crs_core import codes
from crs_core.journal import block_layout, record_layout, record_reader

from host_agent.store.content_check import check_content
from host_agent.store.contents import Contents, contents, totals
from host_agent.store.db import Tx, open_read_only
from host_agent.store.rows import StoredGap
from tools.lab.soak.archive import Archive, Numbered

LOST_MS_MAX = 120_000
STAMP_MS = 1000  # readings and grades bear their whole second, so the newest record may look that much older


class Verdict(NamedTuple):
    """Sentences for everything that is wrong, and how much was compared."""

    readings: int
    events: int
    losses: list[str]
    duplicates: list[str]
    misstated: list[str]  # BOOT records that say something else about the gap than the flash does
    content: list[str]  # what the store's own check finds
    boots: int
    unnumbered_s: int  # the sum of what BOOT records say may have been lost before it was numbered
    skipped: int  # numbers that were never on flash, reported as a gap
    pause_s: int  # the longest between two readings of one start: flash stalls in real time
    unseen: int  # in the store, and gone from flash for want of room before anybody looked

    @property
    def passed(self) -> bool:
        """Whether nothing at all is wrong."""
        return not (self.losses or self.duplicates or self.misstated or self.content)


class _Store(NamedTuple):
    rows: dict[int, Numbered]
    twice: list[int]  # numbers that more than one branch of the journal holds
    gaps: list[StoredGap]
    cursor: int
    forks: int


def judge(archive: Archive, database: Path) -> Verdict:
    """Compare all that flash ever held with the store; nothing may be writing."""
    with closing(open_read_only(database)) as tx:
        store = _read(tx, archive.journal_id)
        content = check_content(tx)
    truth = archive.records
    compared = [seq for seq in truth if store.rows.get(seq) == truth[seq]]
    skipped, losses = _losses(archive, store)
    unseen, duplicates = _duplicates(archive, store)
    boots = [(seq, row) for seq, row in sorted(truth.items()) if _is_boot(row)]
    stated = [record_reader.decode(row.record.type, row.record.payload) for _, row in boots]
    return Verdict(
        readings=sum(truth[seq].kind == block_layout.KIND_READINGS for seq in compared),
        events=sum(truth[seq].kind == block_layout.KIND_EVENTS for seq in compared),
        losses=losses,
        duplicates=duplicates,
        misstated=list(_misstated(archive)),
        content=list(content.problems),
        boots=len(boots),
        unnumbered_s=sum(record.lost_ms_max for record in stated) // 1000,
        skipped=skipped,
        pause_s=_longest_pause_ms(truth) // 1000,
        unseen=unseen,
    )


def _read(tx: Tx, journal_id: bytes) -> _Store:
    held = contents(tx, journal_id) or Contents(0, {}, {}, {}, [], [])
    rows = {
        seq: Numbered(boot, block_layout.KIND_READINGS, row) for seq, (boot, row) in held.readings.items()
    }
    rows |= {seq: Numbered(boot, block_layout.KIND_EVENTS, row) for seq, (boot, row) in held.events.items()}
    return _Store(rows, held.twice, held.gaps, held.cursor, totals(tx).forks)


def _losses(archive: Archive, store: _Store) -> tuple[int, list[str]]:
    truth, skipped = archive.records, 0
    losses = list(archive.faults)
    end = max(archive.must_have, store.cursor)
    in_gap = {
        seq
        for first, last, reason in store.gaps
        if reason == codes.GAP_FLASH_FAILED
        for seq in range(first, min(last, end) + 1)
    }
    for seq in range(1, end + 1):
        if seq in truth:
            if seq not in store.rows:
                losses.append(f"record {seq} is on flash and not in the store")
            elif store.rows[seq] != truth[seq]:
                losses.append(f"record {seq} differs: flash {truth[seq]}, store {store.rows[seq]}")
        elif seq in in_gap:
            skipped += 1
        elif seq not in store.rows:
            losses.append(f"record {seq} is nowhere, and no gap says that it never was")
    return skipped, losses


def _duplicates(archive: Archive, store: _Store) -> tuple[int, list[str]]:
    found = [f"number {seq} is in the store twice" for seq in store.twice]
    found += [f"{store.forks} forks of the journal"] if store.forks else []
    unseen = 0
    thinned = list(_thinned(archive))
    oldest = {kind: archive.oldest(kind) for kind in (block_layout.KIND_READINGS, block_layout.KIND_EVENTS)}
    for seq in sorted(store.rows.keys() - archive.records.keys()):
        row = store.rows[seq]
        if seq < oldest[row.kind] or any(
            seq in span and row.kind == block_layout.KIND_EVENTS and row.record[1] == kind
            for kind, span in thinned
        ):
            unseen += 1
        else:
            found.append(f"record {seq} is in the store and never was on flash")
    for where, rows in (("flash", archive.records), ("the store", store.rows)):
        first: dict[tuple[int, int], int] = {}
        for seq, row in sorted(rows.items()):
            if row.kind == block_layout.KIND_READINGS:
                before = first.setdefault((row.boot, row.record[0]), seq)
                if before != seq:
                    found.append(f"{where} holds one reading as {before} and as {seq}")
    return unseen, found


def _thinned(archive: Archive) -> Iterator[tuple[int, range]]:
    """(type, numbers) of the events that a MERGED record on flash stands for."""
    for row in archive.records.values():
        if row.kind == block_layout.KIND_EVENTS and row.record.type == record_layout.MERGED:
            said = record_reader.decode(row.record.type, row.record.payload)
            yield said.type, range(said.first_seq, said.last_seq + 1)


def _longest_pause_ms(truth: dict[int, Numbered]) -> int:
    readings = [row for _, row in sorted(truth.items()) if row.kind == block_layout.KIND_READINGS]
    pairs = itertools.pairwise(readings)
    return max((b.record.t_ms - a.record.t_ms for a, b in pairs if a.boot == b.boot), default=0)


def _is_boot(row: Numbered) -> bool:
    return bool(row.kind == block_layout.KIND_EVENTS and row.record.type == record_layout.BOOT)


def _misstated(archive: Archive) -> Iterator[str]:
    """The gap that a BOOT states begins with the last record before it and is at most LOST_MS_MAX long."""
    last_ms: dict[int, int] = {}
    for row in archive.records.values():
        last_ms[row.boot] = max(last_ms.get(row.boot, 0), row.record.t_ms)
    started = [(seq, row) for seq, row in sorted(archive.records.items()) if _is_boot(row)]
    before = {boot: earlier for earlier, boot in itertools.pairwise(sorted(last_ms))}
    for seq, row in started:
        said = record_reader.decode(row.record.type, row.record.payload)
        if said.lost_ms_max > LOST_MS_MAX:
            yield f"BOOT {seq} states {said.lost_ms_max} ms lost"
        if row.boot not in before:
            continue
        early_ms = last_ms[before[row.boot]] - said.prev_last_ms
        if said.prev_boot != before[row.boot] or not 0 <= early_ms < STAMP_MS:
            yield (
                f"BOOT {seq} says boot {said.prev_boot} ended at {said.prev_last_ms} ms, "
                f"flash says boot {before[row.boot]} at {last_ms[before[row.boot]]} ms"
            )
