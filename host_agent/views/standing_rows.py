"""The alarms that stand, as rows of `alarm list`, and who accepted or silenced what, as rows of `history`."""

from collections.abc import Iterator, Mapping
from typing import Any

from crs_core import code_texts

from host_agent.escalation.acceptance.words import GRADE_NOUN
from host_agent.escalation.alarm_words import When, alarm_noun, alarm_words, people_words
from host_agent.patient.contact import contact_of
from host_agent.store import acceptances as store
from host_agent.store.acceptances import Acceptance, Standing
from host_agent.store.db import Tx
from host_agent.text import iso_utc, priority_name

GRADE_RISE = "GRADE_RISE"
_TOLD = {
    store.WAITING: "not yet on the wearable",
    store.SENT: "on the wearable",
    store.JOURNALED: "on the wearable",
    store.REFUSED: "the wearable did not take it",
    store.LEFT: "never reached the wearable",
}


def standing_rows(tx: Tx, now_ms: int) -> list[dict[str, Any]]:
    """The most urgent first. `device_id` None: it is about this laptop itself."""
    rows = [_row(tx, one, now_ms) for one in store.standing_episodes(tx, now_ms)]
    return sorted(rows, key=lambda row: -int(row["level"]))


def _row(tx: Tx, one: Standing, now_ms: int) -> dict[str, Any]:
    name = code_texts.alarm_name(one.alarm) if one.kind != "grade" else GRADE_RISE
    contact = contact_of(tx, one.device, one.binding)
    when = When(one.opened_utc_ms, now_ms)
    if one.kind == "grade":
        text = people_words(one.priority, contact, when, f"{GRADE_NOUN}.", simulated=one.simulated)
    else:
        text = alarm_words(one.alarm, one.priority, contact, when, simulated=one.simulated)
    return {
        "number": one.row, "key": one.key, "name": name, "priority": priority_name(one.priority),
        "level": one.priority, "since": iso_utc(one.opened_utc_ms),
        "device_id": one.device_id.hex() if one.device_id else None,
        "patient": one.patient, "binding_id": one.binding_id.hex() if one.binding_id else None,
        "raised_by": {"alarm": "wearable", "host": "host"}.get(one.kind, one.kind), "simulated": one.simulated,
        "text": text, "acceptance": _counting(tx, one.row, store.ACCEPTED, now_ms),
        "silence": _counting(tx, one.row, store.SILENCED, now_ms),
    }  # fmt: skip


def _counting(tx: Tx, episode: int, kind: str, now_ms: int) -> dict[str, Any] | None:
    found = store.counting(tx, episode, kind)
    return None if found is None or found.until_utc_ms <= now_ms else acceptance_fields(found)


def acceptance_fields(one: Acceptance) -> dict[str, Any]:
    """One acceptance or silence in JSON types, with a sentence about the wearable."""
    return {
        "who": one.who, "how": one.how, "signed": one.audit is not None, "note": one.note, "at": iso_utc(one.at_utc_ms),
        "until": iso_utc(one.until_utc_ms), "wearable": one.wearable or None,
        "wearable_text": ": ".join(filter(None, (_TOLD.get(one.wearable, ""), one.wearable_error))),
        "ended_by": one.ended_by or None, "ended_at": iso_utc(one.ended_utc_ms) if one.ended_utc_ms else None,
    }  # fmt: skip


def acceptance_rows(tx: Tx, binding: int | None, device: int | None = None) -> Iterator[dict[str, Any]]:
    """Everything that was accepted or silenced about one binding, or about a wearable while nobody was bound."""
    for one, episode in store.all_acceptances(tx, binding, device):
        alarm, kind, simulated = episode
        first = store.acceptance(tx, one.after) if one.after is not None else None
        yield {
            **acceptance_fields(one), "what": one.kind, "number": one.episode,
            "noun": GRADE_NOUN if kind == "grade" else alarm_noun(alarm),
            "name": code_texts.alarm_name(alarm) if kind != "grade" else GRADE_RISE,
            "priority": priority_name(one.priority), "after": first.who if first else None, "simulated": simulated,
        }  # fmt: skip


def unbound_rows(tx: Tx, devices: Mapping[int, str]) -> Iterator[dict[str, Any]]:
    """The same about wearables (row id → device id) while nobody was bound; without any: about this laptop itself."""
    for device, device_id in devices.items() or [(None, None)]:
        for row in acceptance_rows(tx, None, device):
            yield {**row, "device_id": device_id, "patient": None}
