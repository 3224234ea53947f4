"""Our own form: the event as it is, signed. Any 2xx took it, unless its body says in JSON that it failed."""

from host_agent.forward.delivery import Delivery
from host_agent.forward.event_payload import EventPayload
from host_agent.forward.forms.form import Form, Target
from host_agent.forward.http_answer import Request
from host_agent.forward.message import Message


def request(message: Message, target: Target, delivery: Delivery) -> Request:
    """The bytes of the delivery."""
    return Request(target.url, {}, delivery.body)


FORM = Form(
    request,
    payload=EventPayload,
    proves="the receiver's program took it",
    needs_words=False,
    needs_secret=True,
)
