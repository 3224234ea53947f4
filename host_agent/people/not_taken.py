"""What was signed here and the wearable refused is an alarm, NOT_TAKEN: it decides without what people rely on.

Entries are judged from the store: the alarm stands while the last one that was sent is refused, and a later one that
the wearable journals ends it. A refused rule set or limit stands until one is taken.
"""

from crs_core.codes import NOT_TAKEN, PRIORITY_MEDIUM

from host_agent.store.bindings import binding_by_row, open_binding
from host_agent.store.db import Tx
from host_agent.store.host_alarms import end_alarm, open_alarms, raise_alarm, reword_alarm
from host_agent.store.outgoing import REFUSED, last_answered
from host_agent.store.rows import Derivation


def refused_entry(tx: Tx, binding: int) -> str:
    """Why the last entry that was sent for this binding was refused; empty when it was taken, or none was sent."""
    last = last_answered(tx, binding)
    return f"entry {last.audit}: {last.last_error}" if last is not None and last.state == REFUSED else ""


def standing(tx: Tx, binding: int) -> str:
    """The detail of the open alarm about this binding's wearable; empty without one."""
    device = binding_by_row(tx, binding).device
    return next((a.detail for a in open_alarms(tx) if a.alarm == NOT_TAKEN and a.device == device), "")


def keep(tx: Tx, derive: Derivation, binding: int, detail: str, utc_ms: int) -> None:
    """Make the alarm say `detail`, or end it when that is empty."""
    device = binding_by_row(tx, binding).device
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


def is_over(tx: Tx) -> bool:
    """Whether an alarm stands whose wearable has no binding any more."""
    return any(a.alarm == NOT_TAKEN and not _is_bound(tx, a.device) for a in open_alarms(tx))


def _is_bound(tx: Tx, device: int | None) -> bool:
    return device is not None and open_binding(tx, device) is not None
