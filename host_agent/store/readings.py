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


def newest_first(tx: Tx, journal: int) -> Iterator[StoredReading]:
    """Every reading of one journal (row id), newest first, as far as they are asked for."""
    return map(StoredReading._make, tx.execute(f"{_SELECT} ORDER BY seq DESC", (journal,)))


def newest_reading_time(tx: Tx, device: int) -> tuple[int, int] | None:
    """(boot, t_ms) of the newest reading of the wearable's current journal; None without one."""
    row = tx.execute(
        "SELECT r.boot, r.t_ms FROM readings r JOIN journals j ON j.id = r.journal"
        " WHERE j.device = ? AND j.is_current = 1 ORDER BY r.seq DESC LIMIT 1",
        (device,),
    ).fetchone()
    return (row[0], row[1]) if row else None


def readings_between(tx: Tx, journal: int, after: int, until: int) -> Iterator[tuple[int, ...]]:
    """seq, t_ms, temp_cc, spo2_tenths, hr_bpm, pi_hundredths, status of readings with after < seq <= until."""
    yield from tx.execute(
        "SELECT seq, t_ms, temp_cc, spo2_tenths, hr_bpm, pi_hundredths, status FROM readings"
        " WHERE journal = ? AND seq > ? AND seq <= ?",
        (journal, after, until),
    )
