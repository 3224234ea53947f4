"""What a form of the webhook is: which bytes a service wants, and how its answer says that it took them.

A status 2xx alone proves little: some services answer 200 to what they drop. Each form knows the words of its service.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from host_agent.forward.delivery import Delivery
from host_agent.forward.http_answer import Answer, Request
from host_agent.forward.message import Message
from host_agent.forward.objection import objection_in

_WORDS = re.compile(r"[\w .,:;()'/#-]{1,120}")


class Target(NamedTuple):
    """Where the form sends: the address and the bearer token of the configuration, "" without one.

    `reply_topic` is where a button of the message sends its code, "" without one.
    """

    url: str
    token: str = ""
    reply_topic: str = ""


@dataclass(frozen=True)
class Form:
    """One form.

    `request(message, target, delivery)` makes the request, without the headers that every webhook has.
    `objection(answer)` says why a 2xx took nothing, "" when it took it; with `needs_words`, a body that did not arrive
    proves nothing. `reason(answer)` is what the service says of a refusal. `proves` is what its acceptance proves, for
    people. `takes_token`: the token is part of the request that the form makes, otherwise it goes into a header.
    `payload` is the type of its body.
    """

    request: Callable[[Message, Target, Delivery], Request]
    proves: str
    payload: Any = None
    objection: Callable[[Answer], str] = lambda answer: objection_in(answer.text)
    reason: Callable[[Answer], str] = lambda _: ""
    needs_words: bool = True
    needs_secret: bool = False
    takes_token: bool = False
    check_url: Callable[[str], str | None] = lambda _: None


def said(value: object) -> str:
    """A word of a service as it may be shown: short and plain. Anything else may be our own text sent back."""
    text = value if isinstance(value, str) else ""
    return text if _WORDS.fullmatch(text) else ""


def first_said(table: Mapping[str, Any], *names: str) -> str:
    """The first of these fields that holds a word of the service; of a list its first entry."""
    for name in names:
        value = table.get(name)
        if isinstance(value, list) and value:
            value = value[0]
        if text := said(value):
            return text
    return ""
