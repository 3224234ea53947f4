"""An incoming webhook of Slack or Mattermost: `text` goes to the channel of the address. It answers `ok`."""

from typing_extensions import TypedDict

from host_agent.forward.delivery import Delivery
from host_agent.forward.forms.form import Form, Target, first_said, said
from host_agent.forward.http_answer import Answer, Request
from host_agent.forward.message import Message, cut
from host_agent.forward.packing import packed

_LONGEST = 4000  # Slack asks to keep `text` below that; Mattermost splits a post above 16 383


class SlackPayload(TypedDict):
    """What is posted. Links are not unfolded: nothing of an alarm may be fetched by others."""

    text: str
    unfurl_links: bool
    unfurl_media: bool


def request(message: Message, target: Target, delivery: Delivery) -> Request:
    """The text of the message; signs that Slack reads as commands are escaped."""
    text = message.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    body: SlackPayload = {"text": cut(text, _LONGEST), "unfurl_links": False, "unfurl_media": False}
    return packed(target.url, body)


def objection(answer: Answer) -> str:
    """`ok` as text, or `{"ok": true}`, is the only word of acceptance."""
    if answer.text == "ok" or answer.table.get("ok") is True:
        return ""
    return reason(answer) or "it does not say `ok`"


def reason(answer: Answer) -> str:
    """The word of the service, such as `invalid_payload`; Mattermost has a `message`."""
    return first_said(answer.table, "error", "message") or said(answer.text)


FORM = Form(
    request,
    payload=SlackPayload,
    proves="the service put it into the channel",
    objection=objection,
    reason=reason,
)
