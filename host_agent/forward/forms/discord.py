"""A webhook of a Discord channel: `content`. With `wait=true` it answers with the message that it made."""

from typing import Annotated
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import Field
from typing_extensions import TypedDict

from host_agent.forward.delivery import Delivery
from host_agent.forward.forms.form import Form, Target, first_said
from host_agent.forward.http_answer import Answer, Request
from host_agent.forward.message import Message, cut
from host_agent.forward.packing import packed

_LONGEST = 2000


class Mentions(TypedDict):
    """Nobody is mentioned by what a text happens to hold."""

    parse: list[str]


class DiscordPayload(TypedDict):
    """What is posted."""

    content: Annotated[str, Field(max_length=_LONGEST)]
    allowed_mentions: Mentions


def request(message: Message, target: Target, delivery: Delivery) -> Request:
    """The text of the message."""
    body: DiscordPayload = {"content": cut(message.text, _LONGEST), "allowed_mentions": {"parse": []}}
    parts = urlsplit(target.url)
    query = {**dict(parse_qsl(parts.query)), "wait": "true"}
    return packed(urlunsplit(parts._replace(query=urlencode(query))), body)


def objection(answer: Answer) -> str:
    """The id of the message proves it; an answer without a body (204) comes from services that copy this form."""
    if answer.table.get("id") or (answer.status == 204 and not answer.body):
        return ""
    return reason(answer) or "it does not name the message that it made"


def reason(answer: Answer) -> str:
    """The `message` of an error."""
    return first_said(answer.table, "message")


FORM = Form(
    request,
    payload=DiscordPayload,
    proves="the service put it into the channel",
    objection=objection,
    reason=reason,
)
