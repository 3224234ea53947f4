"""Context entries: what is refused, and the rows that one makes."""

import hashlib
import json

from crs_core.context import PROOF_BYTES

from host_agent.people import context_values, outgoing, roles, validity
from host_agent.people.asking import Ask, Refusal
from host_agent.people.context_state import fold, given, in_force
from host_agent.people.for_wearable import numbers_of
from host_agent.people.limits import rules_for
from host_agent.store.context import ContextEntry, add_context_entry, context_entry
from host_agent.store.db import Tx
from host_agent.text import span_text


def proof_of(signature: bytes) -> bytes:
    """How the wearable names an entry: the first bytes of SHA-256 over its signature."""
    return hashlib.sha256(signature).digest()[:PROOF_BYTES]


def check(tx: Tx, ask: Ask) -> Refusal | None:
    """Whether this entry may be taken. Its signature and its patient were checked before."""
    entry, wearer = ask.entry, ask.wearer
    assert wearer is not None
    try:
        values = context_values.from_signed(entry.values)
    except ValueError as error:
        return Refusal("bad_value", str(error))
    if fault := context_values.fault(values):
        return Refusal("bad_value", fault)
    age_ms = ask.now_ms - entry.observed_utc_ms
    rules = rules_for(tx, wearer.row)
    for key, value in values.items():
        longest_ms = validity.oldest_ms(key, value, rules)
        if entry.refers_to is None and longest_ms is not None and age_ms > longest_ms:
            return Refusal(
                "expired",
                f"{key}: observed {span_text(age_ms / 1000)} ago. It counts for {span_text(longest_ms / 1000)}.",
            )
    if entry.refers_to is not None and (refusal := _check_corrected(tx, ask)):
        return refusal
    if ask.role == roles.CAREGIVER:
        state = in_force(tx, wearer.row)
        for key, value in values.items():
            held = state.get(key)
            if value is None and held is not None and held.given.role != roles.CAREGIVER:
                return Refusal(
                    "not_allowed",
                    f"{key}: a {held.given.role} entered it. A {held.given.role} may withdraw it.",
                )
    return None


def _check_corrected(tx: Tx, ask: Ask) -> Refusal | None:
    assert ask.wearer is not None
    corrected = context_entry(tx, str(ask.entry.refers_to))
    if corrected is None:
        return Refusal("no_such_entry", f"There is no context entry {ask.entry.refers_to}.")
    if corrected.binding != ask.wearer.row:
        return Refusal("wrong_patient", "The entry to correct is about another patient.")
    if corrected.observed_utc_ms != ask.entry.observed_utc_ms:
        return Refusal(
            "bad_value", "observed_utc_ms: a correction keeps the time of what it corrects. Withdraw that instead."
        )  # fmt: skip
    if ask.role == roles.CAREGIVER and corrected.role != roles.CAREGIVER:
        return Refusal(
            "not_allowed", f"A {corrected.role} made this entry. A {corrected.role} may correct it."
        )
    return None


def keep(tx: Tx, ask: Ask, audit: int) -> None:
    """Store the entry, and queue the part of it that goes to the wearable, in the same commit."""
    entry, wearer = ask.entry, ask.wearer
    assert wearer is not None
    values = context_values.from_signed(entry.values)
    add_context_entry(
        tx,
        ContextEntry(
            audit, entry.id, wearer.row, wearer.binding_id, entry.account, ask.role, entry.observed_utc_ms,
            entry.entered_utc_ms, entry.refers_to, wearer.simulated,
        ),
        {key: json.dumps(value) for key, value in values.items()},
    )  # fmt: skip
    # an entry of a clock that stood ahead must not pass for newer than this one
    state = fold(
        one for one in given(tx, wearer.row) if validity.is_time_known(one.observed_utc_ms, ask.now_ms)
    )
    numbers = numbers_of(audit, state, wearer.profile, rules_for(tx, wearer.row))
    if numbers:
        outgoing.queue(
            tx, audit, wearer.row, proof_of(ask.signature), observed_utc_ms=entry.observed_utc_ms, numbers=numbers
        )  # fmt: skip
