"""Who was told what, when, over which receiver, and with which answer; and deliveries as the outbox has them."""

import json
from collections.abc import Collection, Iterator
from typing import Any

from host_agent.store.db import Tx
from host_agent.store.outbox import deliveries
from host_agent.store.told import told
from host_agent.text import iso_utc, priority_name, without_secrets

_ASKS = ("raised", "reminder")  # stages that ask for somebody


def told_rows(tx: Tx, devices: Collection[int] | None = None) -> Iterator[dict[str, Any]]:
    """Every message about these wearables (row ids), None: about all and about this laptop, as it was written.

    `answered_by` is who accepted its alarm, None: nobody did, or it asked for nobody. `answered_over_it`: with the code
    of this very message.
    """
    for one in told(tx):
        if devices is not None and one.device not in devices:
            continue
        said = _table(one.payload)
        asks = said.get("stage", "raised") in _ASKS and bool(one.by)
        yield {
            "at": iso_utc(one.created_utc_ms), "receiver": one.target, "stage": said.get("stage", "raised"),
            "name": said.get("name"), "priority": priority_name(one.priority), "text": str(said.get("text", "")),
            "patient": (said.get("patient") or {}).get("id"), "device_id": (said.get("device") or {}).get("id"),
            "simulated": one.simulated, "state": one.state, "attempts": one.attempts,
            "handed_over_at": iso_utc(one.delivered_utc_ms) if one.delivered_utc_ms else None,
            "last_error": without_secrets(one.last_error), "event_key": one.event_key, "key": said.get("key"),
            "answered_by": one.by if asks else None, "answered_how": one.how if asks else None,
            "answered_at": iso_utc(one.at_utc_ms) if asks and one.at_utc_ms is not None else None,
            "answer_signed": one.audit is not None if asks else None, "answered_over_it": one.is_own if asks else None,
        }  # fmt: skip


def delivery_rows(tx: Tx) -> Iterator[dict[str, Any]]:
    """Every delivery, oldest first."""
    for one in deliveries(tx):
        yield {
            "at": iso_utc(one.created_utc_ms), "target": one.target, "event_key": one.event_key,
            "state": one.state, "attempts": one.attempts,
            "priority": priority_name(one.priority), "last_error": without_secrets(one.last_error),
            "simulated": one.simulated,
            "delivered_at": iso_utc(one.delivered_utc_ms) if one.delivered_utc_ms else None,
        }  # fmt: skip


def _table(payload: str) -> dict[str, Any]:
    """The message; a damaged one has no words."""
    try:
        found = json.loads(payload)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
