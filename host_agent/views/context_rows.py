"""What people entered, as plain rows for `context`, `history` and `export`."""

from collections.abc import Iterator, Mapping
from typing import Any

from crs_core import context as wearable_context
from crs_core.grade import entries
from crs_core.grade.rules import Rules

from host_agent.people.asking import wearers
from host_agent.people.context_state import Given, Held, fold, given
from host_agent.people.limits import rules_for
from host_agent.people.on_wearable import OnWearable, on_wearable
from host_agent.people.outgoing import readable_numbers
from host_agent.people.regrade import replayed
from host_agent.people.resending import to_send_again
from host_agent.people.signed_records import Signed, signed
from host_agent.people.validity import expires_utc_ms, is_time_known
from host_agent.store.bindings import Binding
from host_agent.store.db import Tx
from host_agent.store.outgoing import JOURNALED, LEFT, REFUSED, WAITING, Outgoing, outgoing
from host_agent.sync.timebase import stored_time
from host_agent.text import iso_utc

# Keys of the vocabulary that the wearable keeps under another key of it, and that go there under a name of their own.
_TOLD_AS = {
    "systolic_mmhg": "blood_pressure", "diastolic_mmhg": "blood_pressure", "map_mmhg": "blood_pressure",
    "transaminase_grade": "organ_grade", "creatinine_grade": "organ_grade",
}  # fmt: skip
_PART_OF = {
    "systolic_mmhg": "blood_pressure", "diastolic_mmhg": "blood_pressure", "map_mmhg": "blood_pressure",
    "organ_grade": "organ_grade_worst", "transaminase_grade": "organ_grade_worst",
    "creatinine_grade": "organ_grade_worst", "flow_lpm": "flow_dlpm",
}  # fmt: skip
# What became of an entry on its way; what the wearable holds now is in the rows of `rows_in_force`.
_STATES = {
    WAITING: "on this laptop only, not sent yet",
    JOURNALED: "journaled by the wearable",
    REFUSED: "refused by the wearable",
    LEFT: "never reached the wearable, because its binding ended",
}
_ON_HOST = "for this laptop only"
_IN_FORCE = "in force on the wearable"
_UNCONFIRMED = "on this laptop only: the wearable took it, and its record is not here yet"
_AGAIN = "on this laptop only: the wearable dropped it at its restart, "
# What an entry waits for.
SENDING, NO_LINK, NO_AGENT = "being sent", "waiting for the link", "waiting for the agent: cytowatch run"
_DROPPED = "on this laptop only: the wearable dropped it. Enter it again"
_REPLACED = "on this laptop only: a newer entry took its place on the wearable"
_DAMAGED = "on this laptop only: its row for the wearable is damaged. Enter it again"
_OVER = "no longer counts on the wearable"


def patient_of(tx: Tx | None, device: str | None) -> Binding | None:
    """The one patient bound to a wearable whose id starts so (None: any); None when there is none or more than one."""
    found = [] if tx is None else wearers(tx, device or "")
    return found[0] if len(found) == 1 else None


def waits_for(seen: Mapping[str, Any] | None) -> str:
    """What an entry for a wearable waits for; `seen` is the agent's answer about it, None: no agent runs."""
    if seen is None:
        return NO_AGENT
    return SENDING if (seen.get("link") or {}).get("state") == "open" else NO_LINK


def rows_in_force(tx: Tx, binding: int, now_ms: int, waits: str = SENDING) -> list[dict[str, Any]]:
    """One row per key: value, age, when it stops counting, who signed, and whether the wearable has it.

    `waits` is what an entry waits for that the wearable does not have.
    """
    rules = rules_for(tx, binding)
    replay = replayed(tx, binding, rules, now_ms, stored_time)
    counting = {entry[0]: entry[1] for entry in replay.entered if entry[3] == entries.IN_FORCE}
    state = fold(given(tx, binding))
    sent = _sent(tx, binding)
    held = on_wearable(tx, binding, rules)
    again = {
        (one.item.audit, key)
        for one in to_send_again(tx, binding, None, now_ms, stored_time)
        for key in one.meant()
    }
    return [
        {
            **_in_force(key, state[key], rules, now_ms=now_ms, is_at_risk=replay.is_at_risk),
            "expired": state[key].value is not None and not _counts(key, state[key], counting, now_ms),
            "wearable": _wearable(
                key,
                sent.get(state[key].given.audit),
                held,
                again,
                waits,
                counts=state[key].value is not None and _counts(key, state[key], counting, now_ms),
            ),
        }
        for key in sorted(state)
    ]


def _counts(key: str, held: Held, counting: dict[str, Any], now_ms: int) -> bool:
    """Whether this value counts; in the place of one whose time is not known an older value may count."""
    is_dated = is_time_known(held.given.observed_utc_ms, now_ms)
    return key in counting and (is_dated or counting[key] == held.value)


def _in_force(key: str, held: Held, rules: Rules, *, now_ms: int, is_at_risk: bool) -> dict[str, Any]:
    one = held.given
    is_dated = is_time_known(one.observed_utc_ms, now_ms)
    until_ms = expires_utc_ms(key, held, is_at_risk=is_at_risk, rules=rules) if is_dated else None
    age_s = max(0, now_ms - one.observed_utc_ms) // 1000 if is_dated else None
    return {
        "key": key, "value": held.value, "age_s": age_s, "observed": iso_utc(one.observed_utc_ms),
        "expires": iso_utc(until_ms) if until_ms is not None else None,
        "withdrawn": held.value is None, "account": one.account, "role": one.role, "entry": one.entry_id,
        "simulated": one.simulated,
    }  # fmt: skip


def _wearable(
    key: str,
    item: Outgoing | None,
    held: OnWearable,
    again: set[tuple[int, str]],
    waits: str,
    *,
    counts: bool,
) -> str:
    """What the wearable holds of this key, by its own records; `item` is the part of the entry that goes there."""
    numbers = readable_numbers(item) if item is not None else {}
    if item is not None and not numbers:
        return _DAMAGED
    names = {wearable_context.KEYS[number][0] for number in numbers}
    if item is None or _PART_OF.get(key, key) not in names:
        return _ON_HOST
    if item.state != JOURNALED:
        text = f"on this laptop only, {waits}" if item.state == WAITING else _STATES[item.state]
        return text + (f" ({item.last_error})" if item.last_error and item.state != LEFT else "")
    told = _TOLD_AS.get(key, key)
    rules = (
        (_IN_FORCE, held.holds(told, item.proof)),
        (_UNCONFIRMED, item.proof not in held.journaled),
        (_OVER, not counts),
        (_REPLACED, held.owner.get(told, item.proof) != item.proof),
        (_AGAIN + (f"{waits} again" if waits == SENDING else waits), (item.audit, told) in again),
    )
    return next((text for text, is_so in rules if is_so), _DROPPED)


def _sent(tx: Tx, binding: int) -> dict[int, Outgoing]:
    """Audit row → the part of that entry that goes to the wearable."""
    return {item.audit: item for item in outgoing(tx, binding)}


def entry_rows(tx: Tx, binding: int) -> Iterator[dict[str, Any]]:
    """Every context entry of a binding, in order of observation, with what corrected it."""
    entries = [one for one in given(tx, binding) if one.values is not None]
    sent = _sent(tx, binding)
    corrected_by: dict[str, list[str]] = {}
    for one in entries:
        if one.corrects is not None:
            corrected_by.setdefault(one.corrects, []).append(one.entry_id)
    for one in entries:
        yield {
            **_head(one), "values": one.values, "corrects": one.corrects,
            "corrected_by": corrected_by.get(one.entry_id, []),
            "wearable": _STATES[sent[one.audit].state] if one.audit in sent else _ON_HOST,
        }  # fmt: skip


def _head(one: Given | Signed) -> dict[str, Any]:
    return {
        "at": iso_utc(one.observed_utc_ms), "entered_at": iso_utc(one.entered_utc_ms), "audit": one.audit,
        "entry": one.entry_id, "account": one.account, "simulated": one.simulated,
    }  # fmt: skip


def signed_rows(tx: Tx, binding: int) -> Iterator[dict[str, Any]]:
    """Every signed record of a binding. Only these rows have the code of a diagnosis."""
    for one in signed(tx, binding):
        yield {
            **_head(one), "record": one.kind, "scale": one.scale, "scale_version": one.scale_version,
            "grade": 5 if one.kind == "death" and one.cause in ("crs", "icans") and one.in_force else one.grade,
            "cause": one.cause, "icd10cm": one.icd10cm, "in_force": one.in_force,
            "countersigned_by": one.countersigned_by, "reversed_by": one.reversed_by,
            "reversal_reason": one.reversal_reason, "text": signed_text(one),
        }  # fmt: skip


def signed_text(one: Signed) -> str:
    """One sentence for people."""
    if one.kind == "close_episode":
        text = f"End of the episode, signed by {one.account}"
    elif one.kind == "grade":
        grade = "grade not specified" if one.grade is None else f"{one.grade}"
        name = one.scale if one.scale == "ICANS" else f"CRS ({one.scale} {one.scale_version})"
        text = f"{name}: {grade}, signed by {one.account}"
    else:
        second = (
            f"countersigned by {one.countersigned_by}"
            if one.countersigned_by
            else "does not count before a second clinician countersigns"
        )
        text = f"Death, cause {one.cause}, signed by {one.account}, {second}"
    if one.icd10cm:
        text += f", ICD-10-CM {one.icd10cm}"
    if one.reversed_by:
        text += f"; reversed by {one.reversed_by}: {one.reversal_reason}"
    return text + "."
