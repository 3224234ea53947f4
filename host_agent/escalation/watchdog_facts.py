"""What the watchdog needs to know from the store."""

from crs_core.codes import is_physiological

from host_agent.escalation.news import Resolve
from host_agent.escalation.watchdog import BOUND, ENDED, UNBOUND
from host_agent.store.db import Tx

RECENT_MS = (
    3_600_000  # a technical alarm starts at the priority of any physiological one active this long ago
)


def binding_state(tx: Tx, device: int) -> str:
    """Whether this wearable is bound, was, or never has been."""
    states = {row[0] for row in tx.execute("SELECT DISTINCT state FROM bindings WHERE device = ?", (device,))}
    if not states:
        return UNBOUND
    return ENDED if states == {"ended"} else BOUND


def newest_reading(tx: Tx, device: int, resolve: Resolve) -> tuple[int, int] | None:
    """(utc_ms, bound_ms) of the newest reading of the current journal; None without one or without a time."""
    row = tx.execute(
        "SELECT r.boot, r.t_ms FROM readings r JOIN journals j ON j.id = r.journal"
        " WHERE j.device = ? AND j.is_current = 1 ORDER BY r.seq DESC LIMIT 1",
        (device,),
    ).fetchone()
    return resolve(tx, device, row[0], row[1]) if row else None


def recent_priority(tx: Tx, device: int, resolve: Resolve, now_utc_ms: int) -> int:
    """Highest priority that a physiological alarm had within the last hour.

    A change without a known time counts as recent: what cannot be dated must not be played down.
    """
    rows = tx.execute(
        "SELECT c.alarm, c.priority, c.boot, c.t_ms FROM alarm_changes c JOIN journals j ON j.id = c.journal"
        " WHERE j.device = ? AND j.is_current = 1 ORDER BY c.alarm, c.seq",
        (device,),
    ).fetchall()
    highest = 0
    for at, (alarm, priority, _, _) in enumerate(rows):
        if priority <= highest or not is_physiological(alarm):
            continue
        ended = rows[at + 1] if at + 1 < len(rows) and rows[at + 1][0] == alarm else None
        if ended is not None:
            moment = resolve(tx, device, ended[2], ended[3])
            if moment is not None and moment[0] < now_utc_ms - RECENT_MS:
                continue
        highest = priority
    return highest
