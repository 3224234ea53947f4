"""The message that `cytowatch receivers test` sends: a body like that of any event, marked as a test in every way."""

import json

from host_agent import NOTICE
from host_agent.escalation.events import SCHEMA
from host_agent.escalation.words.reader import NURSE, Reader
from host_agent.escalation.words.wording import worded
from host_agent.forward.delivery import Delivery
from host_agent.text import iso_utc


def delivery_of_test(
    receiver: str, token: str, priority: str, now_ms: int, *, reader: Reader = NURSE, simulated: bool = False
) -> Delivery:
    """A test for one receiver and its reader; `token` makes its key differ from that of every other test."""
    key = f"test-{receiver}-{token}"
    body = {
        "schema": SCHEMA, "key": key, "notice": NOTICE, "simulated": simulated, "priority": priority, "kind": "test",
        "name": "TEST", "detail": "", "alarm": None, "grade": None, "device": None, "patient": None,
        "call": {"care_team": None, "emergency": None}, "source": None, "occurred_at": None, "time_bound_ms": None,
        "audit_head": None, "stage": "test", "facts": {"receiver": receiver}, "made_at": iso_utc(now_ms),
    }  # fmt: skip
    whole = worded(body, reader, now_ms)
    return Delivery(key, json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode())
