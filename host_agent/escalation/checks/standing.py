"""Makes the host's open alarms of one kind say exactly what a check found: one alarm per wearable, or none."""

from collections.abc import Mapping

from host_agent.escalation.checks.check import Finding
from host_agent.store.db import Tx
from host_agent.store.host_alarms import end_alarm, open_alarms, raise_alarm, reword_alarm
from host_agent.store.rows import Derivation, HostAlarm

Found = Mapping[int, Finding] | Mapping[int | None, Finding]  # by the wearable's row id, None: the agent


def open_by_device(tx: Tx, alarm: int) -> dict[int | None, HostAlarm]:
    """The open alarms of one kind, by the row id of the wearable that they are about."""
    return {standing.device: standing for standing in open_alarms(tx) if standing.alarm == alarm}


def stands(tx: Tx, alarm: int, found: Found) -> bool:
    """Whether the open alarms of this kind are those of `found`, with these details and at least these priorities."""
    open_now = open_by_device(tx, alarm)
    return open_now.keys() == found.keys() and all(
        open_now[device].detail == finding.detail and open_now[device].priority >= finding.priority
        for device, finding in found.items()
    )


def make_stand(tx: Tx, derive: Derivation, alarm: int, found: Found, utc_ms: int) -> None:
    """Raise, reword and end alarms of this kind until they are those of `found`."""
    for device, (_, priority, detail) in found.items():
        raise_alarm(tx, derive, device=device, alarm=alarm, priority=priority, detail=detail, utc_ms=utc_ms)
        reword_alarm(tx, device=device, alarm=alarm, detail=detail, utc_ms=utc_ms)
    for gone in open_by_device(tx, alarm).keys() - found.keys():
        end_alarm(tx, derive, device=gone, alarm=alarm, utc_ms=utc_ms)
