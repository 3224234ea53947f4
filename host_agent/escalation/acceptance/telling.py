"""Everyone who was told of an alarm is told who accepted it, and that the acceptance lapsed while the alarm goes on.

A message follows the event that its receiver has: the same `key` in the payload, an id of its own, the same bytes at
every attempt.
"""

import json
from collections.abc import Collection
from typing import Any

from crs_core.codes import PRIORITY_LOW

from host_agent.escalation.acceptance.words import About, accepted_words, lapsed_words
from host_agent.patient.contact import contact_of
from host_agent.store.acceptances import ACCEPTED, Acceptance, episode_by_row
from host_agent.store.audit import last_row
from host_agent.store.db import Tx
from host_agent.store.outbox import Addressed, Told, add_delivery, told_of
from host_agent.text import iso_utc, priority_name


def tell_accepted(tx: Tx, one: Acceptance, *, link_ms: int) -> bool:
    """Queue `<key>-accepted-N` for every receiver of the event; False when there is none, or somebody came second.

    Its priority is LOW: it must never count as having reached somebody with the alarm itself.
    """
    if one.kind != ACCEPTED or one.after is not None:
        return False
    episode = episode_by_row(tx, one.episode, one.at_utc_ms)
    about = About(episode.alarm, episode.priority, episode.simulated, episode.opened_utc_ms)
    text = accepted_words(about, contact_of(tx, episode.device, episode.binding), one)
    return _queue(tx, one, "accepted", text, priority=PRIORITY_LOW, link_ms=link_ms)


def tell_lapsed(
    tx: Tx, one: Acceptance, now_ms: int, *, link_ms: int, targets: Collection[str] | None = None
) -> bool:
    """Queue `<key>-lapsed-N`, for these receivers alone when they are given: as urgent as the alarm."""
    episode = episode_by_row(tx, one.episode, now_ms)
    about = About(episode.alarm, episode.priority, episode.simulated, episode.opened_utc_ms)
    text = lapsed_words(about, contact_of(tx, episode.device, episode.binding), one, now_ms)
    return _queue(tx, one, "lapsed", text, priority=episode.priority, link_ms=link_ms, targets=targets)


def acceptance_fields(one: Acceptance) -> dict[str, Any]:
    """The object `acceptance` of a payload."""
    return {
        "who": one.who, "how": one.how, "signed": one.audit is not None, "at": iso_utc(one.at_utc_ms),
        "until": iso_utc(one.until_utc_ms),
    }  # fmt: skip


def _queue(
    tx: Tx,
    one: Acceptance,
    what: str,
    text: str,
    *,
    priority: int,
    link_ms: int,
    targets: Collection[str] | None = None,
) -> bool:
    head = last_row(tx)
    audit_head = None if head is None else {"rows": head.seq, "hash": head.hash.hex()}
    found = [told for told in told_of(tx, one.episode) if targets is None or told.target in targets]
    for told in found:
        payload = json.loads(told.payload) | {
            "stage": "accepted" if what == "accepted" else "reminder", "priority": priority_name(priority),
            "text": text, "acceptance": acceptance_fields(one), "audit_head": audit_head,
        }  # fmt: skip
        payload.pop("accept", None)
        add_delivery(tx, _follow_up(told, one, what, payload, priority), link_ms)
    return bool(found)


def _follow_up(told: Told, one: Acceptance, what: str, payload: dict[str, Any], priority: int) -> Addressed:
    return Addressed(
        told.target, f"{told.event_key}-{what}-{one.number}", one.episode, priority, told.simulated,
        json.dumps(payload, ensure_ascii=False, separators=(",", ":")), "", told.device, "", told.alarm,
    )  # fmt: skip
