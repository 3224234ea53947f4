"""Our own form: the event as it is (schema cytowatch.event/1), signed. Any 2xx says that the receiver took it."""

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
    reads_body=False,
    needs_secret=True,
)
