"""What was signed here and the wearable refused is an alarm, NOT_TAKEN: it decides without what people rely on.

Entries are judged from the store: the alarm stands while the last one that was sent is refused, and a later one that
the wearable journals ends it. A refused rule set or limit stands until one is taken.
"""

import sqlite3

from crs_core.codes import NOT_TAKEN, PRIORITY_MEDIUM

from host_agent.store.db import Tx
from host_agent.store.host_alarms import end_alarm, open_alarms, raise_alarm, reword_alarm
from host_agent.store.rows import Derivation


def refused_entry(tx: sqlite3.Connection, binding: int) -> str:
    """Why the last entry that was sent for this binding was refused; empty when it was taken, or none was sent."""
    row = tx.execute(
        "SELECT audit, state, last_error FROM context_outgoing"
        " WHERE binding = ? AND state IN ('journaled', 'refused') ORDER BY audit DESC LIMIT 1",
        (binding,),
    ).fetchone()
    return f"entry {row[0]}: {row[2]}" if row and row[1] == "refused" else ""


def standing(tx: sqlite3.Connection, binding: int) -> str:
    """The detail of the open alarm about this binding's wearable; empty without one."""
    device = _device(tx, binding)
    return next((a.detail for a in open_alarms(tx) if a.alarm == NOT_TAKEN and a.device == device), "")


def keep(tx: Tx, derive: Derivation, binding: int, detail: str, utc_ms: int) -> None:
    """Make the alarm say `detail`, or end it when that is empty."""
    device = _device(tx, binding)
    if not detail:
        end_alarm(tx, derive, device=device, alarm=NOT_TAKEN, utc_ms=utc_ms)
        return
    raise_alarm(
        tx, derive, device=device, alarm=NOT_TAKEN, priority=PRIORITY_MEDIUM, detail=detail, utc_ms=utc_ms
    )
    reword_alarm(tx, device=device, alarm=NOT_TAKEN, detail=detail, utc_ms=utc_ms)


def end_with_bindings(tx: Tx, derive: Derivation, utc_ms: int) -> None:
    """No patient is graded by a wearable without a binding: its alarm ends."""
    for alarm in open_alarms(tx):
        if alarm.alarm == NOT_TAKEN and not _is_bound(tx, alarm.device):
            end_alarm(tx, derive, device=alarm.device, alarm=NOT_TAKEN, utc_ms=utc_ms)


def is_over(tx: sqlite3.Connection) -> bool:
    """Whether an alarm stands whose wearable has no binding any more."""
    return any(a.alarm == NOT_TAKEN and not _is_bound(tx, a.device) for a in open_alarms(tx))


def _device(tx: sqlite3.Connection, binding: int) -> int:
    return int(tx.execute("SELECT device FROM bindings WHERE id = ?", (binding,)).fetchone()[0])


def _is_bound(tx: sqlite3.Connection, device: int | None) -> bool:
    found = tx.execute("SELECT 1 FROM bindings WHERE device = ? AND state <> 'ended'", (device,)).fetchone()
    return found is not None
