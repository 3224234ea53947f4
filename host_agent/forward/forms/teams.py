"""A webhook of a Microsoft Teams workflow: one Adaptive Card. It answers 202.

The older connectors answer 200 to everything; then their text is `1`, or the words of a failure.
"""

from typing import Literal

from typing_extensions import TypedDict

from host_agent.forward.delivery import Delivery
from host_agent.forward.forms.form import Form, Target, first_said, said
from host_agent.forward.http_answer import Answer, Request
from host_agent.forward.message import Message, cut_bytes
from host_agent.forward.packing import packed

_LONGEST_BYTES = (
    4_000  # of each text: a card with everything around it may have 28 kB, and signs may be escaped
)
_COLOURS: dict[str, Literal["attention", "warning", "default"]] = {"HIGH": "attention", "MEDIUM": "warning"}


class TextBlock(TypedDict):
    type: Literal["TextBlock"]
    text: str
    wrap: bool
    weight: Literal["bolder", "default"]
    color: Literal["attention", "warning", "default"]


Card = TypedDict(
    "Card",
    {
        "$schema": str,
        "type": Literal["AdaptiveCard"],
        "version": Literal["1.2"],
        "body": list[TextBlock],
        "fallbackText": str,
    },
)


class Attachment(TypedDict):
    """The card in its envelope."""

    contentType: Literal["application/vnd.microsoft.card.adaptive"]
    contentUrl: None
    content: Card


class TeamsPayload(TypedDict):
    """What is posted."""

    type: Literal["message"]
    attachments: list[Attachment]


def request(message: Message, target: Target, delivery: Delivery) -> Request:
    """The first sentence stands out; the rest follows."""
    headline, rest = message.headline
    colour = _COLOURS.get(message.priority, "default") if message.rings else "default"
    blocks = [_block(headline, "bolder", colour)] + ([_block(rest, "default", "default")] if rest else [])
    card: Card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.2",
        "body": blocks,
        "fallbackText": cut_bytes(message.text, _LONGEST_BYTES),
    }
    attachment: Attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card,
    }  # fmt: skip
    body: TeamsPayload = {"type": "message", "attachments": [attachment]}
    return packed(target.url, body)


def _block(
    text: str,
    weight: Literal["bolder", "default"],
    colour: Literal["attention", "warning", "default"],
) -> TextBlock:
    return {
        "type": "TextBlock", "text": cut_bytes(text, _LONGEST_BYTES), "wrap": True, "weight": weight, "color": colour,
    }  # fmt: skip


def objection(answer: Answer) -> str:
    """202 of a workflow is acceptance whatever stands in it; of any other status only `1`, or nothing at all."""
    if answer.status == 202 or answer.text in ("", "1"):
        return ""
    return reason(answer) or "it does not say that it took the card"


def reason(answer: Answer) -> str:
    """The words of a failure; an error of a workflow is an object."""
    error = answer.table.get("error")
    return first_said(error if isinstance(error, dict) else {}, "message", "code") or said(answer.text[:120])


FORM = Form(
    request,
    payload=TeamsPayload,
    proves="the workflow took it; whether it wrote the message, it does not say",
    objection=objection,
    reason=reason,
)
