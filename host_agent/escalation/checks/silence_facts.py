"""What the check for silence needs to know from the store."""

from crs_core.codes import is_physiological

from host_agent.escalation.checks.silence_rules import BOUND, ENDED, UNBOUND
from host_agent.store.alarm_changes import current_changes
from host_agent.store.bindings import binding_states
from host_agent.store.db import Tx
from host_agent.store.readings import newest_reading_time
from host_agent.sync.timebase import record_time

# a technical alarm starts at the priority of any physiological one that was active within this time
RECENT_MS = 3_600_000


def binding_state(tx: Tx, device: int) -> str:
    """Whether this wearable is bound, was, or never has been."""
    states = binding_states(tx, device)
    if not states:
        return UNBOUND
    return ENDED if states == {"ended"} else BOUND


def newest_reading(tx: Tx, device: int) -> tuple[int, int] | None:
    """(utc_ms, bound_ms) of the newest reading of the current journal; None without one or without a time."""
    newest = newest_reading_time(tx, device)
    return record_time(tx, device, *newest) if newest else None


def recent_priority(tx: Tx, device: int, now_utc_ms: int) -> int:
    """Highest priority that a physiological alarm had within the last hour.

    A change without a known time counts as recent: what cannot be dated must not be played down.
    """
    changes = current_changes(tx, device)
    highest = 0
    for at, change in enumerate(changes):
        if change.priority <= highest or not is_physiological(change.alarm):
            continue
        after = changes[at + 1] if at + 1 < len(changes) else None
        if after is not None and after.alarm == change.alarm:
            ended = record_time(tx, device, after.boot, after.t_ms)
            if ended is not None and ended[0] < now_utc_ms - RECENT_MS:
                continue
        highest = change.priority
    return highest
