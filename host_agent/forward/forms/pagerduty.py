"""The Events API v2 of PagerDuty. All messages of an event share a `dedup_key`: `over` resolves it, `accepted`
acknowledges it.

The token of the configuration is the integration key. A person who accepts in PagerDuty is not known here.
"""

import hashlib
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from host_agent.forward.delivery import Delivery
from host_agent.forward.forms.form import Form, Target, first_said
from host_agent.forward.http_answer import Answer, Request
from host_agent.forward.message import Message, cut
from host_agent.forward.packing import packed

_LONGEST_SUMMARY, _LONGEST_KEY = 1024, 255
_SEVERITIES: dict[str, Literal["critical", "error", "warning", "info"]] = {
    "HIGH": "critical",
    "MEDIUM": "error",
    "LOW": "warning",
}
_ACTIONS: dict[str, Literal["trigger", "acknowledge", "resolve"]] = {
    "over": "resolve",
    "accepted": "acknowledge",
}

Alert = TypedDict(
    "Alert",
    {
        "summary": Annotated[str, Field(max_length=_LONGEST_SUMMARY)],
        "source": str,
        "severity": Literal["critical", "error", "warning", "info"],
        "timestamp": NotRequired[str],
        "component": NotRequired[str],
        "class": str,
        "custom_details": dict[str, Any],
    },
)


class PagerDutyPayload(TypedDict):
    """What is posted."""

    routing_key: str
    event_action: Literal["trigger", "acknowledge", "resolve"]
    dedup_key: Annotated[str, Field(max_length=_LONGEST_KEY)]
    client: str
    payload: Alert


def request(message: Message, target: Target, delivery: Delivery) -> Request:
    """One event of the API."""
    alert: Alert = {
        # a phone shows it on its locked screen: what is for clinicians alone stands on a later line
        "summary": cut(message.text.partition("\n")[0], _LONGEST_SUMMARY),
        "source": message.device or "cytowatch",
        "severity": "info" if message.stage == "test" else _SEVERITIES.get(message.priority, "critical"),
        "class": message.name or message.kind or "event",
        "custom_details": {"id": message.id, "text": message.text, "simulated": message.simulated},
    }
    if message.occurred_at:
        alert["timestamp"] = message.occurred_at
    if message.patient:
        alert["component"] = message.patient
    body: PagerDutyPayload = {
        "routing_key": target.token,
        "event_action": _ACTIONS.get(message.stage, "trigger"),
        "dedup_key": _dedup_key(message.key),
        "client": "CytoWatch",
        "payload": alert,
    }
    return packed(target.url, body)


def _dedup_key(key: str) -> str:
    return key if len(key) <= _LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()


def objection(answer: Answer) -> str:
    """Only the status `success` took it."""
    if answer.table.get("status") == "success":
        return ""
    return reason(answer) or "it does not say `success`"


def reason(answer: Answer) -> str:
    """What is wrong with the event: the first of `errors`, or the `message`."""
    return first_said(answer.table, "errors", "message", "status")


FORM = Form(
    request,
    payload=PagerDutyPayload,
    proves="PagerDuty took it and calls whoever is on duty there",
    objection=objection,
    reason=reason,
    takes_token=True,
)
