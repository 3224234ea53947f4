"""The messages about one event: raised, reminder and over, each with the event's `key` and a `stage`.

A message is the event's JSON with what changed; `../words/` makes its text.
"""

import json
from typing import Any, NamedTuple

from crs_core import codes

from host_agent.escalation.contact.course import OVER_STAGE, REMINDER, Tell
from host_agent.escalation.words.reader import NURSE
from host_agent.escalation.words.wording import worded
from host_agent.text import iso_utc, priority_name


class Message(NamedTuple):
    """`key` is its own (the Idempotency-Key); `payload` says the key of the event."""

    key: str
    payload: str
    priority: int


class End(NamedTuple):
    """When a condition ended, None: not known."""

    utc_ms: int | None


def message(
    payload: str, event_key: str, episode: str | None, tell: Tell, *, now_ms: int, end: End | None = None,
    lapsed: dict[str, Any] | None = None,
) -> Message:  # fmt: skip
    """The message of one action; `episode` is the key of its episode, the same over every rise.

    `lapsed` is the object `acceptance` of the acceptance that ended, when that is why people are reminded.
    """
    whole = json.loads(payload)
    whole |= {"stage": tell.stage, "episode": episode}
    key, priority, facts = event_key, tell.priority, whole.get("facts") or {}
    if tell.stage == OVER_STAGE and end is not None:
        key, priority = f"{event_key}-over", codes.PRIORITY_LOW
        facts = {**facts, "ended_at": None if end.utc_ms is None else iso_utc(end.utc_ms)}
    elif tell.stage == REMINDER:
        key = f"{event_key}-reminder-{tell.number}"
        if lapsed is not None:
            began_at = whole.get("occurred_at") or whole.get("made_at")
            whole["acceptance"] = lapsed
            facts = {**facts, "lapsed": True, "began_at": began_at}
    else:
        return Message(key, _json(whole), priority)
    whole |= {"priority": priority_name(priority), "facts": facts, "made_at": iso_utc(now_ms)}
    return Message(key, _json(worded(whole, NURSE, now_ms)), priority)


def with_stage(payload: str, stage: str, episode: str | None) -> str:
    """The event itself with the two keys that tell its messages apart."""
    return _json({**json.loads(payload), "stage": stage, "episode": episode})


def _json(whole: dict[str, Any]) -> str:
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":"))
