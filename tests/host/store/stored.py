"""A store with one journal of readings and events, as a sync leaves it."""

from pathlib import Path
from typing import Any

from crs_core import units
from crs_core.journal import block_reader, block_writer, record_layout, record_types

from host_agent.store.coverage import Coverage
from host_agent.store.db import Store
from host_agent.store.devices import ensure_device
from host_agent.store.insertion import IncomingBlock, IncomingGap, Insertion
from host_agent.store.journals import open_journal

JOURNAL_ID = b"journal1"
DAY_MS = 86_400_000
ENDED_MS = 100 * DAY_MS  # of the patient who left
STATUS = units.make_status(units.SITE_AXILLA, units.TEMP_VALID, units.PPG_VALID, units.WEAR_WORN)


def reading(number: int) -> units.Reading:
    return units.Reading(number * 10_000, 3700 + number % 90, 970 - number % 30, 70 + number % 9, 150, STATUS)


def blocks(count: int, first_seq: int = 1) -> list[IncomingBlock]:
    """Alternating blocks of twelve readings and of two events."""
    found, seq = [], first_seq
    for at in range(count):
        if at % 2:
            payload = record_types.encode(record_types.Button(1))
            raw = block_writer.encode_events(
                JOURNAL_ID, 1, seq, [(seq * 10_000 + i, record_layout.BUTTON, payload) for i in range(2)]
            )
        else:
            raw = block_writer.encode_readings(JOURNAL_ID, 1, seq, [reading(seq + i) for i in range(12)])
        header, content = block_reader.decode(raw, JOURNAL_ID)
        found.append(IncomingBlock(header, raw, content))
        seq += header.count
    return found


def fill(store: Store, items: list[Any], coverage: Coverage | None = None) -> None:
    """Put blocks and gaps into the store in one transaction."""

    def insert(tx: Any) -> None:
        journal = open_journal(tx, ensure_device(tx, b"device01", 1), JOURNAL_ID, bytes(8), 1).journal
        insertion = Insertion(tx, journal, coverage or Coverage(journal.cursor), 1)
        for item in items:
            if isinstance(item, IncomingGap):
                insertion.gap(item)
            else:
                insertion.block(item)
        insertion.finish()

    store.write_now(insert)


def filled(path: Path, count: int = 20) -> Path:
    """A closed database."""
    with Store(path) as store:
        fill(store, list(blocks(count)))
    return path


def left_patient(path: Path, count: int = 20) -> Store:
    """A store in which a patient left: the journal is verified, the wearable shows another one."""
    store = Store(path)
    fill(store, list(blocks(count)))

    def leave(tx: Any) -> None:
        tx.execute("INSERT INTO patients VALUES (1, 'P-1', '', 0)")
        tx.execute(
            "INSERT INTO bindings VALUES (1, x'0101010101010101', 1, 1, '', 'ended', 0, ?, '')", (ENDED_MS,)
        )
        tx.execute("UPDATE journals SET binding = 1, verified_seq = cursor")
        tx.execute("INSERT INTO time_marks VALUES (1, 1, 0, 'journal', 1000000, 0, NULL, 0)")
        open_journal(tx, ensure_device(tx, b"device01", 1), b"journal2", bytes(8), 1)

    store.write_now(leave)
    return store
