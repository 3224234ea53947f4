"""Single readings as they are stored. Those that retention removed are read with `retention.thinned_readings`."""

from collections.abc import Iterator

from host_agent.store.db import Tx
from host_agent.store.rows import StoredReading

_SELECT = (
    "SELECT seq, boot, t_ms, temp_cc, spo2_tenths, hr_bpm, pi_hundredths, status, simulated FROM readings"
    " WHERE journal = ?"
)


def readings(tx: Tx, journal: int) -> Iterator[StoredReading]:
    """Every reading of one journal (row id), oldest first."""
    return map(StoredReading._make, tx.execute(f"{_SELECT} ORDER BY seq", (journal,)))


def newest_readings(tx: Tx, journal: int, limit: int) -> list[StoredReading]:
    """The last readings of one journal (row id), newest first, at most `limit`."""
    rows = tx.execute(f"{_SELECT} ORDER BY seq DESC LIMIT ?", (journal, limit))
    return [StoredReading._make(row) for row in rows]
