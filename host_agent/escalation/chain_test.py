"""The event of `cytowatch test-alarm`, marked in every field that a receiver looks at: nobody may take it for real."""

import json
import os

from crs_core.codes import PRIORITY_LOW

from host_agent.escalation.events import Origin, signed_event
from host_agent.patient.contact import contact_of
from host_agent.store.audit import last_row
from host_agent.store.db import Tx
from host_agent.store.outbox import Addressed
from host_agent.text import local_time, marked

_WITHHELD = "simulated; this receiver does not accept simulations"


def messages_of_test(
    tx: Tx, targets: list[tuple[str, bool]], utc_ms: int, *, simulated: bool
) -> tuple[str, list[Addressed]]:
    """(key, one message for each (receiver, whether it accepts simulations)). It is about nobody."""
    key = f"test-{os.urandom(8).hex()}"
    event = signed_event(
        Origin(None, "", None, 0, None, None, None), None, kind="test", name="TEST_ALARM", text="",
        priority=PRIORITY_LOW, simulated=simulated, occurred_utc_ms=utc_ms, contact=contact_of(tx, None), key=key,
    )  # fmt: skip
    text = (
        f"TEST {local_time(utc_ms, with_seconds=False)}: this message is a test of the alarm chain, and no alarm."
        " Nobody needs help because of it."
    )
    head = last_row(tx)
    whole = json.loads(event.payload) | {
        "text": marked(simulated, text), "stage": "test",
        "audit_head": None if head is None else {"rows": head.seq, "hash": head.hash.hex()},
    }  # fmt: skip
    payload = json.dumps(whole, ensure_ascii=False, separators=(",", ":"))
    return key, [
        Addressed(
            name, key, None, PRIORITY_LOW, simulated, payload, "" if accepts or not simulated else _WITHHELD
        )
        for name, accepts in targets
    ]
