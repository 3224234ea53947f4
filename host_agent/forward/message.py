"""One event as a receiver for people needs it: read from the bytes of a delivery, the same at every attempt."""

import json
import re
from typing import Any, NamedTuple

from host_agent.forward.delivery import Delivery

STAGES = ("raised", "reminder", "accepted", "over", "test")
_SENTENCE = re.compile(r"^((?:SIMULATED\. )?.*?[.!?])\s+(.*)$", re.DOTALL)


class Message(NamedTuple):
    """`id` names this message, `key` the event that it is about: all messages of one event have the same key.

    `to_call` is (words of a button, number) of each number that is known, `to_accept` the words of one that accepts.
    """

    id: str
    key: str
    stage: str
    kind: str
    name: str
    priority: str
    simulated: bool
    text: str
    patient: str
    device: str
    care_team: str
    emergency: str
    title: str
    to_call: tuple[tuple[str, str], ...]
    to_accept: str
    occurred_at: str | None
    event: dict[str, Any]

    @property
    def rings(self) -> bool:
        """Whether it asks for somebody now: the end of a condition, or that somebody accepted, does not."""
        return self.stage in ("raised", "reminder", "test")

    @property
    def headline(self) -> tuple[str, str]:
        """The title, which is the begin of the text, and the rest of it; without a title the first sentence."""
        if self.title and self.text.startswith(self.title):
            return self.title, self.text[len(self.title) :].strip()
        found = _SENTENCE.match(self.text)
        return (found[1], found[2]) if found else (self.text, "")


def read_message(delivery: Delivery) -> Message:
    """What a delivery says. A field that its body does not hold is empty: a message always has a text."""
    try:
        event = json.loads(delivery.body)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        event = {"text": delivery.body.decode(errors="replace")}
    call, patient, device = (_table(event.get(name)) for name in ("call", "patient", "device"))
    stage = event.get("stage")
    return Message(
        id=delivery.event_key,
        key=_text(event.get("key")) or delivery.event_key,
        stage=stage if stage in STAGES else "raised",
        kind=_text(event.get("kind")),
        name=_text(event.get("name")),
        priority=_text(event.get("priority")) or "HIGH",
        simulated=event.get("simulated") is True,
        text=_readable(_text(event.get("text"))) or _text(event.get("name")) or delivery.event_key,
        patient=_text(patient.get("id")),
        device=_text(device.get("name")) or _text(device.get("id")),
        care_team=_text(call.get("care_team")),
        emergency=_text(call.get("emergency")),
        title=_readable(_text(event.get("title"))),
        to_call=_to_call(event, call),
        to_accept=_readable(_text(event.get("to_accept"))) or "I look after it",
        occurred_at=_text(event.get("occurred_at")) or None,
        event=event,
    )


def _to_call(event: dict[str, Any], call: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """An event of an earlier version has numbers without words."""
    made = event.get("to_call")
    if not isinstance(made, list):
        pairs = (("Care team", _text(call.get("care_team"))), ("Emergency", _text(call.get("emergency"))))
        return tuple((f"{who} {number}", number) for who, number in pairs if number)
    return tuple(
        (_text(one.get("label")), number) for one in map(_table, made) if (number := _text(one.get("number")))
    )


def cut(text: str, characters: int) -> str:
    """`text` in at most that many characters, with a mark where something was left out."""
    return text if len(text) <= characters else text[: characters - 1] + "…"


def cut_bytes(text: str, number: int) -> str:
    """`text` in at most that many bytes of UTF-8, with a mark where something was left out."""
    raw = text.encode()
    if len(raw) <= number:
        return text
    return raw[: number - len("…".encode())].decode(errors="ignore") + "…"


def dialled(number: str) -> str:
    """A phone number as an address that a phone can dial."""
    return "tel:" + "".join(c for c in number if c in "+0123456789")


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _readable(text: str) -> str:
    """Without the control characters that no message has, and that some services refuse."""
    return "".join(c for c in text if c >= " " or c == "\n").strip()


def _text(value: object) -> str:
    # half of a pair of UTF-16 is a string to Python and to JSON, and to nobody else
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""


def one_line(text: str, characters: int) -> str:
    """`text` in one line without control characters, cut to that many characters."""
    return cut(" ".join("".join(c if c.isprintable() else " " for c in text).split()), characters)
