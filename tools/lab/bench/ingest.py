"""How fast blocks become durable rows: unpack, CRC, decode, insert, FULL commit; a week's backlog, and one event.

The target is our own. The fastest link measured for such boards (USB CDC, about 580 kB/s) carries at most 280 000
readings a second in codec 2. On a radio link (31 kB/s, 15 000/s) the store must never slow down a sync.
"""

import random
import tempfile
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from statistics import median
from types import SimpleNamespace

from crs_core import units
from crs_core.grade import alarms, grader, rules
from crs_core.journal import block_writer, record_layout, record_types, record_writer

from host_agent.store.contents import totals
from host_agent.store.coverage import Coverage
from host_agent.store.db import Store, Tx
from host_agent.store.devices import ensure_device
from host_agent.store.insertion import Inserted, Insertion
from host_agent.store.journals import open_journal
from host_agent.store.rechecks import position
from host_agent.store.rollups import COLUMNS, read_rollups
from host_agent.store.rows import Derivation, Journal
from host_agent.sync.intake import unpack
from host_agent.sync.verify import Verifier
from tools.lab.bench.measuring import Row, percentile

_JOURNAL_ID = b"benchjrn"
_WEEK_READINGS = 60_480
_PER_BLOCK = 12
_PER_MESSAGE_BYTES = 2048
_MESSAGES_PER_COMMIT = 8  # the engine's window
_EVENTS = 300
_TARGET_PER_S = 50_000
_TARGET_REGRADED_PER_S = 20_000
_TARGET_EVENT_MS = 5.0
_TARGET_VIEW_MS = 200


def rows() -> Iterable[Row]:
    messages = _messages()
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "bench.db") as store:
        journal = store.write_now(_journal)
        coverage = Coverage()
        start_s = time.perf_counter()
        for at in range(0, len(messages), _MESSAGES_PER_COMMIT):
            done = _commit(store, journal, coverage, messages[at : at + _MESSAGES_PER_COMMIT])
            journal, coverage = done.journal, done.coverage
        spent_s = time.perf_counter() - start_s
        stored = store.read_now(totals).readings
        if stored != _WEEK_READINGS or coverage.prefix != _WEEK_READINGS:
            raise RuntimeError(f"{stored} readings stored of {_WEEK_READINGS}")
        rate = _WEEK_READINGS / spent_s
        yield _rate_row("decode to FULL commit, backlog", rate, _TARGET_PER_S)
        yield "ingest: 7 days of one wearable", f"{spent_s:.2f} s", "<= 3 s", spent_s <= 3
        start_s = time.perf_counter()
        for at in range(0, len(messages), _MESSAGES_PER_COMMIT):
            again = _commit(store, journal, coverage, messages[at : at + _MESSAGES_PER_COMMIT])
            if again.records.readings:
                raise RuntimeError("a duplicate was stored")
        rate = _WEEK_READINGS / (time.perf_counter() - start_s)
        yield _rate_row("all of it once more, compared", rate, _TARGET_PER_S)
        start_s = time.perf_counter()
        view = store.read_now(lambda tx: list(read_rollups(tx, 1)))
        spent_s = time.perf_counter() - start_s
        if sum(row.figures[COLUMNS.index("n")] or 0 for row in view) != _WEEK_READINGS:
            raise RuntimeError("the roll-ups do not count every reading once")
        spent_ms, most_ms = spent_s * 1000, _TARGET_VIEW_MS
        figure = f"{len(view):,} rows in {spent_ms:.0f} ms"
        yield "ingest: 7 days as five-minute rows, read", figure, f"<= {most_ms} ms", spent_ms <= most_ms
        rate = _regraded_per_s(_messages(first_seq=2))
        yield _rate_row("the same with a re-run of every grade", rate, _TARGET_REGRADED_PER_S)
        times_ms = list(_event_times_ms(store, journal, coverage))
        p50, most_ms = median(times_ms), _TARGET_EVENT_MS
        figure = f"p50 {p50:.2f} ms, p99 {percentile(times_ms, 0.99):.2f} ms"
        yield "ingest: one event to FULL commit", figure, f"p50 <= {most_ms:g} ms", p50 <= most_ms


def _rate_row(what: str, rate: float, least: int) -> Row:
    return f"ingest: {what}", f"{rate:,.0f} readings/s", f">= {least:,}", rate >= least


def _regraded_per_s(messages: list[SimpleNamespace]) -> float:
    """Readings a second when each commit is followed by a re-run of its grades, as in the agent."""
    # A journal begins with its state: here a new one under the default rules. The readings' numbers follow it.
    start = record_writer.write(record_layout.GRADER_STATE,
        2, rules.rule_hash(rules.DEFAULT), alarms.encode_state(alarms.new_state(), 0),
        grader.encode_state(grader.new_state(), 0),
    )  # fmt: skip
    first = block_writer.encode_events(_JOURNAL_ID, 1, 1, [(0, record_layout.GRADER_STATE, start)])
    verifier, derive = Verifier(), Derivation()
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "bench.db") as store:
        journal, coverage = store.write_now(_journal), Coverage()
        start_s = time.perf_counter()
        backlog = [SimpleNamespace(data=first), *messages]
        for at in range(0, len(backlog), _MESSAGES_PER_COMMIT):
            done = _commit(store, journal, coverage, backlog[at : at + _MESSAGES_PER_COMMIT])
            journal, coverage = done.journal, done.coverage
            row = journal.id
            advance = partial(verifier.advance, derive=derive, journal=row, utc_ms=1, limit=2000)
            while store.write_now(advance):
                pass
        spent_s = time.perf_counter() - start_s
        done_to = store.read_now(lambda tx: position(tx, journal.id)).done_seq
        found = store.read_now(totals).disagreements
        if done_to != _WEEK_READINGS + 1 or found:
            raise RuntimeError(f"re-run up to {done_to} of {_WEEK_READINGS + 1}, {found} disagreements")
    return _WEEK_READINGS / spent_s


def _event_times_ms(store: Store, journal: Journal, coverage: Coverage) -> Iterable[float]:
    seq, t_ms = coverage.prefix, 10_000 * _WEEK_READINGS
    for i in range(_EVENTS):
        payload = record_types.encode(record_types.Button(1 + i % 2))
        press = (t_ms + i * 1000, record_layout.BUTTON, payload)
        raw = block_writer.encode_events(_JOURNAL_ID, 1, seq + 1 + i, [press])
        start_s = time.perf_counter()
        done = _commit(store, journal, coverage, [SimpleNamespace(data=raw)])
        yield (time.perf_counter() - start_s) * 1000
        journal, coverage = done.journal, done.coverage


def _commit(store: Store, journal: Journal, coverage: Coverage, messages: list[SimpleNamespace]) -> Inserted:
    items = [item for message in messages for item in unpack(message, _JOURNAL_ID, {})]

    def insert(tx: Tx) -> Inserted:
        insertion = Insertion(tx, journal, coverage, 1)
        for item in items:
            insertion.block(item)  # type: ignore[arg-type]
        return insertion.finish()

    return store.write_now(insert)


def _journal(tx: Tx) -> Journal:
    return open_journal(tx, ensure_device(tx, b"benchdev", 1), _JOURNAL_ID, bytes(8), 1).journal


def _messages(first_seq: int = 1) -> list[SimpleNamespace]:
    """A week of readings every 10 s whose values wander like a body's, packed as a wearable packs them."""
    rng = random.Random(7)
    temp_cc, spo2, hr = 3700, 970, 80
    status = units.make_status(units.SITE_AXILLA, units.TEMP_VALID, units.PPG_VALID, units.WEAR_WORN)
    readings = []
    for i in range(_WEEK_READINGS):
        temp_cc += rng.choice((-2, -1, 0, 0, 1, 2))
        spo2 = min(1000, max(880, spo2 + rng.choice((-3, 0, 0, 3))))
        hr = min(140, max(50, hr + rng.choice((-1, 0, 1))))
        readings.append(units.Reading(10_000 * i + rng.randrange(3), temp_cc, spo2, hr, 150, status))
    messages, data = [], b""
    for at in range(0, _WEEK_READINGS, _PER_BLOCK):
        raw = block_writer.encode_readings(_JOURNAL_ID, 1, at + first_seq, readings[at : at + _PER_BLOCK])
        if len(data) + len(raw) > _PER_MESSAGE_BYTES:
            messages.append(SimpleNamespace(data=data))
            data = b""
        data += raw
    messages.append(SimpleNamespace(data=data))
    return messages
