"""The answer to `status`: what the running agent knows of its links, wearables and receivers, as JSON values."""

import logging
import os
from typing import Any

from crs_core import code_texts
from crs_core.wire import message as wire

from host_agent.control.parts import Parts
from host_agent.errors import StoreError
from host_agent.forward.worker import Worker
from host_agent.link.supervisor import LinkReport
from host_agent.store.outbox import count_waiting
from host_agent.sync.live import View, live_text, live_values

_IN_MEMORY_MAX = 200  # of one receiver: an answer has a largest size
_LOG = logging.getLogger(__name__)


async def status_values(parts: Parts) -> dict[str, Any]:
    """Everything that `cytowatch status` shows of a running agent; `outbox_waiting` None while the store fails."""
    try:
        waiting = await parts.store.read(count_waiting)
    except StoreError:
        waiting = None
    live, links = parts.live, parts.links
    device_ids = {*parts.keys(), *live.views}
    return {
        "pid": os.getpid(),
        "simulation_speed": parts.clock.speed,
        "now_utc_ms": parts.clock.utc_ms(),
        "ports": [_report(report) for report in links.reports.values()],
        "devices": [
            _isolated(live.view(device_id), parts.clock.monotonic(), live.data_before_s)
            for device_id in sorted(device_ids)
        ],
        "outbox_waiting": waiting,
        "targets": {
            worker.name: {
                **worker.counters._asdict(),
                "last_error": worker.last_error,
                "in_memory": _in_memory(worker),
            }
            for worker in parts.workers
        },
        "heartbeat": parts.heartbeat.values() if parts.heartbeat else None,
        "store_error": str(live.store_error) if live.store_error else None,
        "key_errors": parts.keys.errors,
        "laptop": parts.laptop.values(),
        "link_counters": {port: runner.link_counters for port, runner in links.runners.items()},
    }


def _in_memory(worker: Worker) -> list[dict[str, Any]]:
    """The events that no store holds and that the receiver has not got, the most urgent first."""
    found = sorted(worker.undelivered(), key=lambda one: (-one.priority, one.since_ms))
    return [
        {
            "alarm": _name(one.kind), "priority": one.priority, "since_utc_ms": one.since_ms,
            "state": "refused" if one.is_refused else "in memory", "reason": one.reason,
        }
        for one in found[:_IN_MEMORY_MAX]
    ]  # fmt: skip


def _name(kind: str) -> str:
    """The name of what an event tells, from the kind of an offer: `alarm-3`, or `again-alarm-3`."""
    number = kind.rpartition("-")[2]
    if not number:
        return "GRADE_RISE"
    return code_texts.alarm_name(int(number)) if number.isdigit() else "UNKNOWN_ALARM"


def _report(report: LinkReport) -> dict[str, Any]:
    fields = report._asdict()
    fields["state"] = report.state.value
    fields["device_id"] = report.device_id.hex() if report.device_id else None
    return fields


def _isolated(view: View, now_s: float, data_before_s: float) -> dict[str, Any]:
    """One wearable by itself: values that cannot be shown are left out, and the other wearables are shown."""
    try:
        return _view(view, now_s, data_before_s)
    except Exception:
        _LOG.exception("what %s said cannot be shown", view.device_id.hex())
        return _view(View(view.device_id, link=view.link, stored_s=view.stored_s), now_s, data_before_s)


def _view(view: View, now_s: float, data_before_s: float) -> dict[str, Any]:
    status = view.status
    simulated = bool(status.flags & wire.STATUS_SIMULATED) if status else None
    live = view.live_now()
    return {
        "device_id": view.device_id.hex(),
        "simulated": simulated,
        "link": _report(view.link) if view.link else {"state": "never opened"},
        "caught_up": view.is_caught_up,
        "bound": bool(status.flags & wire.STATUS_BOUND) if status else None,
        "maintenance": bool(status.flags & wire.STATUS_MAINTENANCE) if status else None,
        "live": live_values(live),
        "live_text": live_text(live, simulated),
        "live_utc_ms": view.live_utc_ms,
        "alarms_utc_ms": view.alarms_utc_ms(),
        # ages by the clock that nobody can set
        "live_age_s": None if view.live_s is None else round(now_s - view.live_s, 1),
        "stored_age_s": int(now_s - (data_before_s if view.stored_s is None else view.stored_s)),
        "battery_age_s": None if view.battery_s is None else int(now_s - view.battery_s),
        "head_seq": status.head_seq if status else None,
        "battery_mv": status.battery_mv if status else None,
        "battery": view.battery.values(),
        "heap_free_bytes": status.heap_free if status else None,
    }
