"""A topic of an ntfy server, published as JSON; the address ends with the topic. It answers with the message."""

import json
import re
from typing import Annotated, Literal, NotRequired
from urllib.parse import unquote, urlsplit, urlunsplit

from pydantic import Field
from typing_extensions import TypedDict

from host_agent.forward.delivery import Delivery
from host_agent.forward.forms.form import Form, Target, first_said
from host_agent.forward.http_answer import Answer, Request
from host_agent.forward.message import Message, cut, cut_bytes, dialled
from host_agent.forward.packing import packed

_TOPIC = re.compile(r"[-_A-Za-z0-9]{1,64}")
_LONGEST_BYTES = 4096  # anything longer becomes a file that somebody must open
_TITLE = 250
# 5 rings through "do not disturb" where the phone allows it.
_PRIORITIES: dict[str, Literal[3, 4, 5]] = {"HIGH": 5, "MEDIUM": 4, "LOW": 3}
_TAGS = {
    "raised": "rotating_light",
    "reminder": "rotating_light",
    "accepted": "raising_hand",
    "test": "test_tube",
}


class CallAction(TypedDict):
    """A button that dials."""

    action: Literal["view"]
    label: str
    url: str


class AcceptAction(TypedDict):
    """A button that posts the code of the message to the topic of the replies."""

    action: Literal["http"]
    label: str
    url: str
    method: Literal["POST"]
    body: str
    clear: bool


class NtfyPayload(TypedDict):
    """What is posted."""

    topic: Annotated[str, Field(pattern=f"^{_TOPIC.pattern}$")]
    title: NotRequired[Annotated[str, Field(max_length=_TITLE)]]
    message: str
    priority: Annotated[int, Field(ge=1, le=5)]
    tags: list[str]
    actions: Annotated[list[CallAction | AcceptAction], Field(max_length=3)]


def request(message: Message, target: Target, delivery: Delivery) -> Request:
    """The first sentence as the title, the rest as the message, a button to accept and one for each number to call."""
    server, topic = split(target.url)
    headline, rest = message.headline
    actions: list[CallAction | AcceptAction] = [
        {"action": "view", "label": label, "url": dialled(number)} for label, number in message.to_call
    ]
    accept = message.event.get("accept")
    if target.reply_topic and message.rings and isinstance(accept, dict):
        code = json.dumps({"token": accept.get("token"), "key": message.key})
        actions.insert(
            0,
            {"action": "http", "label": message.to_accept, "url": f"{server}{target.reply_topic}", "method": "POST",
             "body": code, "clear": True},
        )  # fmt: skip
    body: NtfyPayload = {
        "topic": topic,
        "message": cut_bytes(rest or headline, _LONGEST_BYTES),
        "priority": _PRIORITIES.get(message.priority, 5) if message.rings else 3,
        "tags": [tag] if (tag := _TAGS.get(message.stage)) else [],
        "actions": actions[:3],
    }
    if rest:
        body["title"] = cut(headline, _TITLE)
    return packed(server, body)


def split(url: str) -> tuple[str, str]:
    """The server's own address, and the topic."""
    parts = urlsplit(url)
    folder, _, topic = parts.path.rstrip("/").rpartition("/")
    return urlunsplit(parts._replace(path=f"{folder}/", query="")), unquote(topic)


def check_url(url: str) -> str | None:
    """Why the address is no topic; None when it is."""
    if _TOPIC.fullmatch(split(url)[1]):
        return None
    return "an address that ends with the topic, such as https://ntfy.example.org/ward-7-alarms"


def objection(answer: Answer) -> str:
    """The message that it made, with its id."""
    if answer.table.get("event") == "message" and answer.table.get("id"):
        return ""
    return reason(answer) or "it does not name the message that it made"


def reason(answer: Answer) -> str:
    """The `error` of the server."""
    return first_said(answer.table, "error")


FORM = Form(
    request,
    payload=NtfyPayload,
    proves="the ntfy server took it; whether a phone listens to the topic, it does not say",
    objection=objection,
    reason=reason,
    check_url=check_url,
)
