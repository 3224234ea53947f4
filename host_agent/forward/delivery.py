"""What a receiver of events is to the worker. A kind of receiver keeps this contract: see README.md, "Add a kind".

A forwarder answers one delivery with one of three outcomes and never raises for what the receiver or the network did.
Delivery is at least once: the same `event_key` and the same bytes are sent again until a `Delivered`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one receiver; `body` is final: a resend sends the same bytes."""

    event_key: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver took responsibility (for a webhook: a 2xx answer)."""

    detail: str


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """Not delivered, may succeed later; `after_s` is the receiver's own wish, None = the worker's back-off.

    `whole_target`: nothing else will get through either (not reached, overloaded), so the queue waits, not one event.
    `was_reached` False: there was no connection, so this says nothing about the event, and asking again is cheap.
    `is_sure`: the answer leaves no doubt that it is about the receiver (or, without `whole_target`, about this event).
    """

    reason: str
    after_s: float | None = None
    whole_target: bool = True
    was_reached: bool = True
    is_sure: bool = False

    @property
    def is_receivers(self) -> bool:
        """Whether it is for sure about the receiver, and about no event."""
        return not self.was_reached or (self.is_sure and self.whole_target)

    @property
    def is_events(self) -> bool:
        """Whether it is for sure about this event alone."""
        return self.is_sure and not self.is_receivers


@dataclass(frozen=True, slots=True)
class Rejected:
    """The receiver will never take these bytes; the row stays in the store as rejected, with the reason."""

    reason: str


Outcome = Delivered | RetryAfter | Rejected


class NotConnectedError(Exception):
    """A receiver that is not reached, or whose connection broke; the reason in plain words.

    `was_reached`: it answered, and refuses the connection.
    """

    def __init__(self, why: str, was_reached: bool = False) -> None:
        super().__init__(why)
        self.was_reached = was_reached


class Reply(NamedTuple):
    """A code that came back: by whose name ("": not told), over what, and for which event (None: the code's own)."""

    token: str
    by: str
    how: str
    event_key: str | None


class ReplyAnswer(NamedTuple):
    """Whether an alarm was accepted by the reply; `text` is for the person who sent it, `why` one word for programs."""

    accepted: bool
    text: str
    why: str = ""


OnReply = Callable[[Reply | None], Awaitable[ReplyAnswer]]
"""Takes what came back; None is what cannot be understood, to be counted. Raises StoreError."""


class Forwarder(Protocol):
    """Hands events to one receiver, and says of each whether it arrived."""

    @property
    def name(self) -> str:
        """Name of the target in the outbox; deliveries follow it across restarts."""

    @property
    def accept_simulated(self) -> bool:
        """Whether simulated events may be sent there."""

    async def send(self, delivery: Delivery) -> Outcome:
        """Try once, within the forwarder's own deadline."""

    async def close(self) -> None:
        """Release connections; nothing is sent afterwards."""


@runtime_checkable
class Connected(Forwarder, Protocol):
    """A forwarder that keeps a connection while nothing is sent."""

    async def run(self) -> None:
        """Keep it until cancelled; whatever breaks it is logged, and it is made again."""


@runtime_checkable
class Answered(Connected, Protocol):
    """A forwarder over which people can send the code of a message back."""

    def take_replies(self, on_reply: OnReply) -> None:
        """Give each reply to `on_reply` from now on; called once, before anything is sent."""
