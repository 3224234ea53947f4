"""Alarms that the host raises itself: kept until they end, at most one open per (device, alarm)."""

from host_agent.store.db import Tx
from host_agent.store.rows import Derivation, HostAlarm

_ALL = (
    "SELECT id, device, alarm, priority, detail, raised_utc_ms, changed_utc_ms, ended_utc_ms FROM host_alarms"
)
_SELECT = f"{_ALL} WHERE ended_utc_ms IS NULL"


def raise_alarm(
    tx: Tx, derive: Derivation, *, device: int | None, alarm: int, priority: int, detail: str, utc_ms: int
) -> bool:
    """Open it, or raise the priority of the open one; True when that changed anything. Priority never falls here."""
    row = _open(tx, device, alarm)
    if row is None:
        cursor = tx.execute(
            "INSERT INTO host_alarms (device, alarm, priority, detail, raised_utc_ms, changed_utc_ms)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (device, alarm, priority, detail, utc_ms, utc_ms),
        )
        assert cursor.lastrowid is not None
        derive.host_alarm(tx, HostAlarm(cursor.lastrowid, device, alarm, priority, detail, utc_ms, utc_ms))
        return True
    if priority <= row.priority:
        return False
    tx.execute(
        "UPDATE host_alarms SET priority = ?, detail = ?, changed_utc_ms = ? WHERE id = ?",
        (priority, detail, utc_ms, row.id),
    )
    derive.host_alarm(tx, row._replace(priority=priority, detail=detail, changed_utc_ms=utc_ms))
    return True


def reword_alarm(tx: Tx, *, device: int | None, alarm: int, detail: str, utc_ms: int) -> None:
    """Change the detail of the open one; no new event is sent."""
    row = _open(tx, device, alarm)
    if row is not None and row.detail != detail:
        tx.execute(
            "UPDATE host_alarms SET detail = ?, changed_utc_ms = ? WHERE id = ?", (detail, utc_ms, row.id)
        )


def end_alarm(tx: Tx, derive: Derivation, *, device: int | None, alarm: int, utc_ms: int) -> bool:
    """End the open one; False when none was open. The derivation gets it with priority 0."""
    row = _open(tx, device, alarm)
    if row is None:
        return False
    tx.execute(
        "UPDATE host_alarms SET ended_utc_ms = ?, changed_utc_ms = ? WHERE id = ?", (utc_ms, utc_ms, row.id)
    )
    derive.host_alarm(tx, row._replace(priority=0, changed_utc_ms=utc_ms))
    return True


def has_ended_since(tx: Tx, *, device: int | None, alarm: int, utc_ms: int) -> bool:
    """Whether one of this kind ended then or later."""
    found = tx.execute(
        "SELECT 1 FROM host_alarms WHERE coalesce(device, 0) = ? AND alarm = ? AND ended_utc_ms >= ?",
        (device or 0, alarm, utc_ms),
    )
    return found.fetchone() is not None


def open_alarms(tx: Tx) -> list[HostAlarm]:
    """Everything that has not ended, oldest first."""
    return [HostAlarm(*row) for row in tx.execute(_SELECT + " ORDER BY id")]


def host_alarms(tx: Tx) -> list[HostAlarm]:
    """Every alarm that the host ever raised, oldest first."""
    return [HostAlarm(*row) for row in tx.execute(_ALL + " ORDER BY raised_utc_ms, id")]


def _open(tx: Tx, device: int | None, alarm: int) -> HostAlarm | None:
    row = tx.execute(_SELECT + " AND coalesce(device, 0) = ? AND alarm = ?", (device or 0, alarm)).fetchone()
    return HostAlarm(*row) if row else None
