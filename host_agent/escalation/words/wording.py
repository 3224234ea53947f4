"""The text of an event for one reader: `worded` writes title, text and numbers to call into the event.

    URGENT 03:07, JS-60 (Bed 3): oxygen low: 86 %.                        the title: all that a lock screen needs
    Look at the patient now. Care team 555-0100. Emergency 112.           what to do and whom to call
    CRS (ASTCT 2019): at least 1, could be up to 4. Not signed.           more, for clinicians alone

Every text is made of the event's other fields, so it can be made again for another reader, and later.
"""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from host_agent.clock import Clock
from host_agent.escalation.words import said as by_kind
from host_agent.escalation.words import values as say
from host_agent.escalation.words.catalogue import Catalogue, catalogue
from host_agent.escalation.words.reader import CLINICIAN, Reader
from host_agent.patient.contact import NAMELESS
from host_agent.text import utc_ms_of_iso

_LOG = logging.getLogger(__name__)
_LONGEST_TITLE = 250
_LONGEST_NAME = 40
_NUMBERS = ("care_team", "emergency")
_NOT_UNDERSTOOD = (KeyError, TypeError, ValueError, AttributeError)


def worded(
    event: Mapping[str, Any], reader: Reader, now_ms: int, *, late_ms: int = say.LATE_MS
) -> dict[str, Any]:
    """The event with its words for this reader at this moment. It is late when more than `late_ms` went by.

    An event whose kind or fields nobody knows here keeps the text that it has, for clinicians; a family is told to
    look and to call.
    """
    words = catalogue(reader.language)
    case = by_kind.Case(event, reader, words, now_ms)
    try:
        return {**event, **_words(case, by_kind.said(case), late_ms)}
    except _NOT_UNDERSTOOD:
        _LOG.debug("an event has no words here", exc_info=True)
    call = event.get("call")
    call = call if isinstance(call, dict) else {}
    if reader.role == CLINICIAN and event.get("text"):
        return {**event, "language": reader.language, "to_call": _to_call(words, call),
                "to_accept": words["line.to_accept"]}  # fmt: skip
    about = {
        name: event[name] for name in ("about", "device", "patient") if isinstance(event.get(name), dict)
    }
    case = case._replace(event={"priority": event.get("priority"), "call": call, **about})
    return {**event, **_words(case, by_kind.unknown(case), late_ms)}


def _words(case: by_kind.Case, found: by_kind.Said, late_ms: int) -> dict[str, Any]:
    """Title, text, language and numbers to call."""
    event, words = case.event, case.words
    call = event.get("call") or {}
    title = words["line.title"].format_map(
        {
            "lead": words[f"lead.{found.lead}"], "when": _when(case, late_ms),
            "about": found.about or _about(case), "what": found.what,
        }
    )  # fmt: skip
    if event.get("simulated"):
        title = words["line.simulated"].format(text=title)
    title = title if len(title) <= _LONGEST_TITLE else title[: _LONGEST_TITLE - 1] + "…"
    is_reminder = event.get("stage") == "reminder" and not case.facts.get("lapsed")
    numbers = (words[f"line.{name}"].format(number=_number(words, call, name)) for name in _NUMBERS)
    parts = [
        title, found.do, words["line.nobody_accepted"] if is_reminder else "", by_kind.repeated(case),
        *(numbers if found.has_numbers else ()),
    ]  # fmt: skip
    return {
        "text": "\n".join([" ".join(part for part in parts if part), *found.more]), "title": title,
        "language": case.reader.language, "to_call": _to_call(words, call) if found.has_numbers else [],
        "to_accept": words["line.to_accept"],
    }  # fmt: skip


def worder(reader: Reader, clock: Clock) -> Callable[[str], str]:
    """Writes the words for this reader into the JSON of an event. In a simulation that runs faster, late is later."""

    def word(payload: str) -> str:
        event = json.loads(payload)
        if not isinstance(event, dict):
            return payload
        done = worded(event, reader, clock.utc_ms(), late_ms=round(say.LATE_MS * max(1.0, clock.speed)))
        return json.dumps(done, ensure_ascii=False, separators=(",", ":"))

    return word


def _when(case: by_kind.Case, late_after_ms: int) -> str:
    event = case.event
    stage = event.get("stage") or "raised"
    if stage in ("accepted", "over", "test") or case.facts.get("lapsed"):
        at = event.get("made_at") or event.get("occurred_at")
    else:
        at = event.get("occurred_at")
    # an event is late from its cause on, what follows it from the moment that it was made
    since = event.get("occurred_at") if stage == "raised" else event.get("made_at")
    late_ms = 0 if since is None else case.now_ms - utc_ms_of_iso(since)
    utc_ms = None if at is None else utc_ms_of_iso(at)
    return say.moment(case.words, utc_ms, case.now_ms, late_ms=late_ms if late_ms > late_after_ms else 0)


def _about(case: by_kind.Case) -> str:
    """`JS-60 (Bed 3)`; to a family the patient alone, because they know no name of the wearable."""
    words, event = case.words, case.event
    about = event.get("about") or {}
    if event.get("device") is None and not about.get("wearable"):
        return words["about.laptop"]
    patient = say.plain(about.get("patient") or (event.get("patient") or {}).get("id") or "", _LONGEST_NAME)
    name = about.get("wearable") or (event.get("device") or {}).get("name") or ""
    wearable = words["about.nameless"] if name in ("", NAMELESS) else say.plain(name, _LONGEST_NAME)
    if case.reader.role != CLINICIAN:
        return patient or words["about.some_wearable"]
    form = "patient_and_wearable" if patient else "no_patient"
    return words[f"about.{form}"].format_map({"patient": patient, "wearable": wearable})


def _number(words: Catalogue, call: Mapping[str, Any], name: str) -> str:
    return say.plain(call.get(name) or words["line.no_number"])


def _to_call(words: Catalogue, call: Mapping[str, Any]) -> list[dict[str, str]]:
    """Each number that is known, with the words of its button."""
    return [
        {
            "label": words[f"line.dial_{name}"].format(number=say.plain(call[name])),
            "number": say.plain(call[name]),
        }
        for name in _NUMBERS
        if call.get(name)
    ]
