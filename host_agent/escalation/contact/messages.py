"""The messages about one event: raised, reminder and over, each with the event's `key` and a `stage`.

A message is the event's JSON with what changed. It never reassures: an end is worded as what is no longer measured.
"""

import json
from typing import Any, NamedTuple

from crs_core import codes

from host_agent.escalation.alarm_words import LEADS, When, alarm_noun, people_words
from host_agent.escalation.contact.course import OVER_STAGE, REMINDER, Tell
from host_agent.patient.contact import Contact
from host_agent.text import SIMULATED, local_time_near, priority_name

_ENDS = {
    codes.FEVER: "temperature no longer measured above the limit since {at}",
    codes.POSSIBLE_FEVER: "temperature no longer measured above the limit since {at}",
    codes.HYPOXAEMIA: "oxygen no longer measured below the limit since {at}",
    codes.LIFE_THREATENING: "the life-threatening pattern of signs is no longer measured since {at}",
    codes.SPO2_LOST: "the oxygen is measured again since {at}",
    codes.PULSE_LOST: "a pulse is measured again since {at}",
    codes.NO_DATA: "values arrive again since {at}",
    codes.NO_DATA_YET: "data arrives again since {at}",
    codes.STALE_DATA: "data arrives again since {at}",
    codes.NOT_BACK: "data arrives again since {at}",
    codes.NO_SOUND: "the bedside laptop can be heard again since {at}",
    codes.LAPTOP_BATTERY: "the bedside laptop is plugged in again since {at}",
}


class Message(NamedTuple):
    """`key` is its own (the Idempotency-Key); `payload` says the key of the event."""

    key: str
    payload: str
    priority: int


class End(NamedTuple):
    """When a condition ended, None: not known, and whom that is about."""

    utc_ms: int | None
    now_ms: int
    contact: Contact


def message(
    payload: str, event_key: str, episode: str | None, tell: Tell, *, alarm: int, end: End | None
) -> Message:
    """The message of one action; `episode` is the key of its episode, the same over every rise."""
    whole = json.loads(payload)
    whole |= {"stage": tell.stage, "episode": episode}
    if tell.stage == OVER_STAGE and end is not None:
        whole["text"] = _over_text(alarm, end, simulated=bool(whole["simulated"]))
        whole["priority"] = priority_name(codes.PRIORITY_LOW)
        return Message(f"{event_key}-over", _json(whole), codes.PRIORITY_LOW)
    if tell.stage == REMINDER:
        whole["text"] = _again(whole["text"], whole["priority"], tell)
        whole["priority"] = priority_name(tell.priority)
        return Message(f"{event_key}-reminder-{tell.number}", _json(whole), tell.priority)
    return Message(event_key, _json(whole), tell.priority)


def with_stage(payload: str, stage: str, episode: str | None) -> str:
    """The event itself with the two keys that tell its messages apart."""
    return _json({**json.loads(payload), "stage": stage, "episode": episode})


def _again(text: str, priority: str, tell: Tell) -> str:
    said = f"{text} Nobody has accepted this alarm: {tell.why}."
    now = priority_name(tell.priority)
    if now == priority:
        return said
    mark = f"{SIMULATED}. " if said.startswith(f"{SIMULATED}. ") else ""
    lead, _, rest = said.removeprefix(mark).partition(" ")
    return f"{mark}{LEADS[tell.priority]} {rest}" if lead in LEADS.values() else said


def _over_text(alarm: int, end: End, *, simulated: bool) -> str:
    at = "a time not known" if end.utc_ms is None else local_time_near(end.utc_ms, end.now_ms)
    said = _ENDS.get(
        alarm, f"{alarm_noun(alarm)}: not found any more since {{at}}" if alarm else "it ended at {at}"
    )
    return people_words(
        codes.PRIORITY_NONE, end.contact, When(end.now_ms, end.now_ms), f"{said.format(at=at)}. Keep watching.",
        simulated=simulated,
    )  # fmt: skip


def _json(whole: dict[str, Any]) -> str:
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":"))
