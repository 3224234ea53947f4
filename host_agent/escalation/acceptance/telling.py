"""Everyone who was told of an alarm is told who accepted it, and that the acceptance lapsed while the alarm goes on.

A message follows the event that its receiver has: the same `key` in the payload, an id of its own, the same bytes at
every attempt.
"""

import json
from collections.abc import Collection
from typing import Any

from crs_core.codes import PRIORITY_LOW

from host_agent.escalation.words.reader import NURSE
from host_agent.escalation.words.wording import worded
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
    return _queue(tx, one, "accepted", one.at_utc_ms, priority=PRIORITY_LOW, link_ms=link_ms)


def tell_lapsed(
    tx: Tx, one: Acceptance, now_ms: int, *, link_ms: int, targets: Collection[str] | None = None
) -> bool:
    """Queue `<key>-lapsed-N`, for these receivers alone when they are given: as urgent as the alarm."""
    priority = episode_by_row(tx, one.episode, now_ms).priority
    return _queue(tx, one, "lapsed", now_ms, priority=priority, link_ms=link_ms, targets=targets)


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
    now_ms: int,
    *,
    priority: int,
    link_ms: int,
    targets: Collection[str] | None = None,
) -> bool:
    head = last_row(tx)
    audit_head = None if head is None else {"rows": head.seq, "hash": head.hash.hex()}
    began_ms = episode_by_row(tx, one.episode, now_ms).opened_utc_ms
    found = [told for told in told_of(tx, one.episode) if targets is None or told.target in targets]
    for told in found:
        payload = json.loads(told.payload)
        facts = payload.get("facts") or {}
        payload |= {
            "stage": "accepted" if what == "accepted" else "reminder", "priority": priority_name(priority),
            "acceptance": acceptance_fields(one), "audit_head": audit_head, "made_at": iso_utc(now_ms),
            "facts": {**facts, "began_at": iso_utc(began_ms), "lapsed": what == "lapsed"},
        }  # fmt: skip
        payload.pop("accept", None)
        add_delivery(tx, _follow_up(told, one, what, worded(payload, NURSE, now_ms), priority), link_ms)
    return bool(found)


def _follow_up(told: Told, one: Acceptance, what: str, payload: dict[str, Any], priority: int) -> Addressed:
    return Addressed(
        told.target, f"{told.event_key}-{what}-{one.number}", one.episode, priority, told.simulated,
        json.dumps(payload, ensure_ascii=False, separators=(",", ":")), "", told.device, "", told.alarm,
    )  # fmt: skip
