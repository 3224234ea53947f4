"""Inserts what a wearable sent: every record once, under (journal, seq), with the raw bytes of its block.

One key has one content. The same block again is ignored. Other bytes under a known key open a branch, so that both are
kept, and are reported as a fork.
"""

from collections.abc import Iterable
from functools import partial
from itertools import chain, repeat
from itertools import count as count_from
from operator import itemgetter
from typing import Any, NamedTuple

from crs_core.journal import block_layout, record_layout

from host_agent.store.counters import count
from host_agent.store.coverage import Coverage
from host_agent.store.db import Tx
from host_agent.store.events import decode_event
from host_agent.store.journals import journal_by_id, open_branch
from host_agent.store.rollups import add_readings
from host_agent.store.rows import Fork, Journal, Records, Refused, StoredEvent, StoredGap
from host_agent.store.savepoint import attempt
from host_agent.store.time_marks import Mark, keep_received_mark, note_extents

# records that may say that an alarm sounds
_ALARMING = (record_layout.ALARM, record_layout.BOOT, record_layout.GRADER_STATE, record_layout.BUTTON)
_SPAN_MAX = 255  # records in one block
_t_ms = itemgetter(0)


class IncomingBlock(NamedTuple):
    """A block whose CRC held; `content` None when this program does not know its kind, codec or flags, or when its
    bytes cannot be true (`is_refused`)."""

    header: Any  # crs_core.journal.block_layout.Header
    raw: bytes
    content: list[Any] | None
    is_refused: bool = False


class IncomingGap(NamedTuple):
    """Sequences that the wearable declares as lost."""

    first_seq: int
    last_seq: int
    reason: int


class Inserted(NamedTuple):
    """The result of one transaction. `journal` and `coverage` are those after it."""

    journal: Journal
    coverage: Coverage
    records: Records
    forks: list[Fork]
    duplicates: int
    not_understood: int
    refused: list[Refused]


class Insertion:
    """Collects rows for one journal inside one transaction; `finish` writes them with executemany."""

    def __init__(self, tx: Tx, journal: Journal, coverage: Coverage, utc_ms: int) -> None:
        self._tx = tx
        self._journal = journal
        self._coverage = coverage.copy()
        self._utc_ms = utc_ms
        self._blocks: list[tuple[object, ...]] = []
        self._readings: list[Iterable[tuple[object, ...]]] = []  # one iterator per block, read by SQLite
        self._new_readings = 0
        self._events: list[StoredEvent] = []
        self._gaps: list[StoredGap] = []
        self._runs: list[tuple[int, int]] = []  # sequences of new blocks that follow each other
        self._latest: dict[int, int] = {}  # boot -> t_ms
        self._forks: list[Fork] = []
        self._written: Records = Records(0, [], [], utc_ms)
        self._duplicates = 0
        self._not_understood = 0
        self._refused: list[Refused] = []
        # blocks above this are new and need no comparison
        self._known_until = max(coverage.highest, journal.cursor, _highest_stored(tx, journal))

    def block(self, item: IncomingBlock) -> None:
        """Add one block; a known one is ignored, other bytes under known keys open a branch."""
        header = item.header
        first, last = header.first_seq, header.first_seq + header.count - 1
        if first <= self._known_until and self._is_known(item, first, last):
            self._duplicates += 1
            self._coverage.add(first, last)
            return
        self._known_until = max(self._known_until, last)
        simulated = header.flags & block_layout.FLAG_SIMULATED
        understood = item.content is not None
        self._not_understood += not understood
        self._blocks.append(
            (self._journal.id, first, last, header.kind, header.codec, header.flags, header.boot,
             header.start_ms, int(understood), self._utc_ms, item.raw)
        )  # fmt: skip
        if item.is_refused:
            is_events = header.kind == block_layout.KIND_EVENTS
            self._refused.append(Refused(first, last, None, is_events))
        boot = header.boot
        if item.content is not None and header.kind == block_layout.KIND_READINGS:
            self._readings.append(_reading_rows(item.content, first, boot, simulated))
            self._new_readings += len(item.content)
        elif item.content is not None:
            for i, (t_ms, kind, payload) in enumerate(item.content):
                record = decode_event(kind, payload)
                if record is None:
                    self._not_understood += 1
                    self._note_refused(first + i, kind)
                self._events.append(StoredEvent(first + i, boot, t_ms, kind, payload, simulated, record))
        if item.content:
            self._latest[boot] = max(self._latest.get(boot, 0), *map(_t_ms, item.content))
        if self._runs and self._runs[-1][1] + 1 == first:
            self._runs[-1] = (self._runs[-1][0], last)
        else:
            self._runs.append((first, last))
        self._coverage.add(first, last)

    def gap(self, item: IncomingGap) -> None:
        """Keep the parts of a gap that are not held already."""
        for first, last in self._coverage.missing(item.first_seq, item.last_seq):
            self._gaps.append(StoredGap(first, last, item.reason))
            self._coverage.add(first, last)

    def finish(self) -> Inserted:
        """Write the rows and the cursor."""
        self._flush()
        cursor = max(self._journal.cursor, self._coverage.prefix)
        if cursor != self._journal.cursor:
            self._tx.execute("UPDATE journals SET cursor = ? WHERE id = ?", (cursor, self._journal.id))
            self._journal = self._journal._replace(cursor=cursor)
        if self._duplicates:
            count(self._tx, self._journal.device, "blocks_duplicate", self._duplicates)
        if self._not_understood:
            count(self._tx, self._journal.device, "not_understood", self._not_understood)
        return Inserted(
            self._journal,
            self._coverage,
            self._written._replace(readings=self._new_readings),
            self._forks,
            self._duplicates,
            self._not_understood,
            self._refused,
        )

    def _note_refused(self, seq: int, kind: int) -> None:
        if kind in record_layout.LAYOUTS:  # a type of a newer wearable is no fault
            self._refused.append(Refused(seq, seq, kind, kind in _ALARMING))

    def _is_known(self, item: IncomingBlock, first: int, last: int) -> bool:
        """True for the same bytes again. Other bytes under these keys: branch, then False."""
        self._flush()  # comparisons look at the tables
        journal: Journal | None = self._journal
        limit = 0xFFFFFFFF
        while journal is not None:
            held = self._tx.execute(
                "SELECT first_seq, last_seq, raw FROM blocks WHERE journal = ? AND first_seq BETWEEN ? AND ?"
                " AND last_seq >= ? AND first_seq <= ? ORDER BY first_seq",
                (journal.id, max(1, first - _SPAN_MAX + 1), last, first, limit),
            ).fetchall()
            if len(held) == 1 and held[0][2] == item.raw:
                return True
            if held:
                self._fork(journal, item.raw, first, last, b"".join(row[2] for row in held))
                return False
            limit = min(limit, journal.base_seq)
            journal = _parent(self._tx, journal) if first <= limit else None
        return False

    def _fork(self, where: Journal, other: bytes, first: int, last: int, known: bytes) -> None:
        if where.id == self._journal.id:
            self._journal = open_branch(self._tx, self._journal, first - 1, self._utc_ms)
        else:  # this branch leaves its parent earlier than was seen first
            base = min(self._journal.base_seq, first - 1)
            self._tx.execute("UPDATE journals SET base_seq = ? WHERE id = ?", (base, self._journal.id))
            self._journal = self._journal._replace(base_seq=base)
        self._tx.execute(
            "INSERT INTO forks (journal, branch, how, first_seq, last_seq, known, other, detected_utc_ms)"
            " VALUES (?, ?, 'bytes', ?, ?, ?, ?, ?)",
            (where.id, self._journal.id, first, last, known, other, self._utc_ms),
        )
        self._coverage = Coverage()  # nothing was compared with this branch yet: read all of it again
        self._forks.append(Fork("bytes", first, last, self._journal.id))

    def _flush(self) -> None:
        tx, journal = self._tx, int(self._journal.id)
        tx.executemany(
            "INSERT INTO blocks (journal, first_seq, last_seq, kind, codec, flags, boot, start_ms, understood,"
            " received_utc_ms, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            self._blocks,
        )
        tx.executemany(
            f"INSERT INTO readings VALUES ({journal:d}, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 an int
            chain.from_iterable(self._readings),
        )
        tx.executemany(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (journal, e.seq, e.boot, e.t_ms, e.type, e.payload, e.simulated, e.record is not None)
                for e in self._events
            ],
        )
        tx.executemany(
            "INSERT OR IGNORE INTO gaps VALUES (?, ?, ?, ?, ?)",
            [(journal, *gap, self._utc_ms) for gap in self._gaps],
        )
        if self._readings:  # an event alone is committed without this
            add_readings(tx, journal, self._runs)
        for at, event in enumerate(self._events):
            if event.record is None:
                continue
            error = attempt(tx, partial(_index_event, tx, self._journal, event))
            if error is not None:
                self._events[at] = event._replace(record=None)
                self._not_understood += 1
                self._note_refused(event.seq, event.type)
                mark_not_understood(tx, journal, event.seq)
        note_extents(self._tx, self._journal.device, self._latest.items(), self._utc_ms)
        self._written.events.extend(self._events)
        self._written.gaps.extend(self._gaps)
        self._blocks, self._readings, self._events, self._gaps, self._runs = [], [], [], [], []
        self._latest = {}


def mark_not_understood(tx: Tx, journal: int, seq: int) -> None:
    """This event stays as bytes: what follows from it cannot be derived."""
    tx.execute("UPDATE events SET understood = 0 WHERE journal = ? AND seq = ?", (journal, seq))


def _reading_rows(
    content: list[Any], first_seq: int, boot: int, simulated: int
) -> Iterable[tuple[object, ...]]:
    """The rows of one block of readings without their journal, made without Python code per row."""
    columns = zip(*content, strict=True)
    return zip(count_from(first_seq), repeat(boot), *columns, repeat(simulated), strict=False)


def held_coverage(tx: Tx, journal: Journal) -> Coverage:
    """The sequences that the store holds of a journal branch, also beyond its cursor."""
    held = Coverage(journal.cursor)
    for first, last in tx.execute(
        "SELECT first_seq, last_seq FROM blocks WHERE journal = ? AND first_seq > ? - 255 AND last_seq > ?"
        " UNION ALL SELECT first_seq, last_seq FROM gaps WHERE journal = ? AND last_seq > ? ORDER BY 1",
        (journal.id, journal.cursor, journal.cursor, journal.id, journal.cursor),
    ):
        held.add(first, last)
    return held


def last_known_block(tx: Tx, journal: Journal) -> int | None:
    """First sequence of the last block below the cursor; None while no block is held."""
    row = tx.execute(
        "SELECT first_seq FROM blocks WHERE journal = ? AND last_seq <= ? ORDER BY first_seq DESC LIMIT 1",
        (journal.id, journal.cursor),
    ).fetchone()
    return int(row[0]) if row else None


def note_fork(tx: Tx, journal: Journal, how: str, *, first_seq: int, last_seq: int, utc_ms: int) -> bool:
    """Keep a sign of an older image (how: head or boot); False when the same sign is stored already."""
    known = tx.execute(
        "SELECT 1 FROM forks WHERE journal = ? AND how = ? AND first_seq = ? AND last_seq = ?",
        (journal.id, how, first_seq, last_seq),
    ).fetchone()
    if known:
        return False
    tx.execute(
        "INSERT INTO forks (journal, how, first_seq, last_seq, detected_utc_ms) VALUES (?, ?, ?, ?, ?)",
        (journal.id, how, first_seq, last_seq, utc_ms),
    )
    return True


def _highest_stored(tx: Tx, journal: Journal) -> int:
    """Upper bound of the keys held in a branch and those below it."""
    row = tx.execute(
        "SELECT last_seq FROM blocks WHERE journal = ? ORDER BY first_seq DESC LIMIT 1", (journal.id,)
    ).fetchone()
    return max(int(row[0]) if row else 0, journal.base_seq)


def _parent(tx: Tx, journal: Journal) -> Journal | None:
    return None if journal.parent is None else journal_by_id(tx, journal.parent)


def _index_event(tx: Tx, journal: Journal, event: StoredEvent) -> None:
    """Rows that make an event findable without decoding it again."""
    record: Any = event.record
    if event.type == record_layout.TIME_MARK:
        mark = Mark(event.boot, event.t_ms, record.utc_ms, record.bound_ms, key_id=record.key_id)
        keep_received_mark(tx, journal.device, mark)
    elif event.type == record_layout.GRADE:
        tx.execute(
            "INSERT INTO grades VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (journal.id, event.seq, event.boot, event.t_ms, record.scale, record.scale_version,
             record.rule_hash, record.lower, record.upper, record.fever, record.status,
             bytes(record.reasons), bytes(record.missing), record.temp_age_ms, record.ppg_age_ms,
             event.simulated),
        )  # fmt: skip
    elif event.type == record_layout.ALARM:
        tx.executemany(
            "INSERT OR REPLACE INTO alarm_changes VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (journal.id, event.seq, alarm, priority, event.boot, event.t_ms, event.simulated)
                for alarm, priority in record.changes
            ],
        )
    elif event.type == record_layout.SETTINGS:
        tx.execute(
            "UPDATE devices SET settings_version = ?, settings = ? WHERE id = ? AND settings_version <= ?",
            (record.settings_version, record.text, journal.device, record.settings_version),
        )
