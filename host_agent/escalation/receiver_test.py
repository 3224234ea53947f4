"""The message that `cytowatch receivers test` sends: a body like that of any event, marked as a test in every way."""

import json

from host_agent import NOTICE
from host_agent.escalation.events import SCHEMA
from host_agent.forward.delivery import Delivery
from host_agent.text import local_time


def delivery_of_test(receiver: str, token: str, priority: str, now_ms: int) -> Delivery:
    """A test for one receiver; `token` makes its key differ from that of every other test."""
    key = f"test-{receiver}-{token}"
    text = (
        f"TEST {local_time(now_ms, with_seconds=False)}, CytoWatch to {receiver}: this is a test of this way to you."
        " No alarm is behind it, and it says nothing about any patient. Tell whoever sends it that it arrived."
    )
    body = {
        "schema": SCHEMA, "key": key, "notice": NOTICE, "simulated": False, "priority": priority, "kind": "test",
        "name": "TEST", "text": text, "detail": "", "alarm": None, "grade": None, "device": None, "patient": None,
        "call": {"care_team": None, "emergency": None}, "source": None, "occurred_at": None, "time_bound_ms": None,
        "audit_head": None, "stage": "test",
    }  # fmt: skip
    return Delivery(key, json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())
