"""A webhook trigger of Home Assistant: a flat object for its automations, with the whole event in it.

It answers 200 without a word, also for a webhook id that it does not know: that proves no more than handing over.
"""

from typing import Any, Literal

from typing_extensions import TypedDict

from host_agent.forward.delivery import Delivery
from host_agent.forward.forms.form import Form, Target, first_said
from host_agent.forward.http_answer import Answer, Request
from host_agent.forward.message import Message
from host_agent.forward.packing import packed

SCHEMA: Literal["cytowatch.home-assistant/1"] = "cytowatch.home-assistant/1"


class HomeAssistantPayload(TypedDict):
    """What is posted. `title` and `message` fit the notify actions; `id` is the same at every resend."""

    schema: Literal["cytowatch.home-assistant/1"]
    id: str
    key: str
    stage: str
    priority: str
    simulated: bool
    title: str
    message: str
    name: str
    patient: str
    occurred_at: str | None
    event: dict[str, Any]


def request(message: Message, target: Target, delivery: Delivery) -> Request:
    """The fields that automations ask for, beside the event itself."""
    body: HomeAssistantPayload = {
        "schema": SCHEMA,
        "id": message.id,
        "key": message.key,
        "stage": message.stage,
        "priority": message.priority,
        "simulated": message.simulated,
        "title": message.headline[0],
        "message": message.text,
        "name": message.name,
        "patient": message.patient,
        "occurred_at": message.occurred_at,
        "event": message.event,
    }
    return packed(target.url, body)


def objection(answer: Answer) -> str:
    """It never answers with words: a page or an error comes from something in front of it."""
    return (
        "" if not answer.body else reason(answer) or "Home Assistant answers without words, and this has some"
    )


def reason(answer: Answer) -> str:
    """The `message` of an error."""
    return first_said(answer.table, "message", "error")


FORM = Form(
    request,
    payload=HomeAssistantPayload,
    proves="handed over; nothing proves that it arrived: Home Assistant answers alike when it knows no such webhook",
    objection=objection,
    reason=reason,
)
