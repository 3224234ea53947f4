"""Context entries: what is refused, and the rows that one makes."""

import hashlib
import json
import sqlite3

from crs_core.context import PROOF_BYTES

from host_agent.people import context_values, outgoing, roles, validity
from host_agent.people.asking import Ask, Refusal
from host_agent.people.context_state import in_force
from host_agent.people.for_wearable import numbers_of
from host_agent.people.limits import rules_for
from host_agent.text import span_text


def proof_of(signature: bytes) -> bytes:
    """How the wearable names an entry: the first bytes of SHA-256 over its signature."""
    return hashlib.sha256(signature).digest()[:PROOF_BYTES]


def check(tx: sqlite3.Connection, ask: Ask) -> Refusal | None:
    """Whether this entry may be taken; everything but the signature and the patient, which were looked at before."""
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
                f"{key}: observed {span_text(age_ms / 1000)} ago; it counts for {span_text(longest_ms / 1000)}.",
            )
    if entry.refers_to is not None and (refusal := _check_corrected(tx, ask)):
        return refusal
    if ask.role == roles.CAREGIVER:
        state = in_force(tx, wearer.row)
        for key, value in values.items():
            held = state.get(key)
            if value is None and held is not None and held.given.role != roles.CAREGIVER:
                return Refusal(
                    "not_allowed", f"{key}: was entered by a {held.given.role}, who may withdraw it"
                )
    return None


def _check_corrected(tx: sqlite3.Connection, ask: Ask) -> Refusal | None:
    assert ask.wearer is not None
    row = tx.execute(
        "SELECT e.binding, e.observed_utc_ms, a.role FROM context_entries e JOIN accounts a ON a.name = e.account"
        " WHERE e.entry_id = ?",
        (ask.entry.refers_to,),
    ).fetchone()
    if row is None:
        return Refusal("no_such_entry", f"There is no context entry {ask.entry.refers_to}.")
    binding, observed_utc_ms, role = row
    if binding != ask.wearer.row:
        return Refusal("wrong_patient", "The entry to correct is about another patient.")
    if observed_utc_ms != ask.entry.observed_utc_ms:
        return Refusal(
            "bad_value", "observed_utc_ms: a correction keeps the moment of what it corrects; withdraw it instead"
        )  # fmt: skip
    if ask.role == roles.CAREGIVER and role != roles.CAREGIVER:
        return Refusal("not_allowed", f"The entry was made by a {role}, who may correct it.")
    return None


def keep(tx: sqlite3.Connection, ask: Ask, audit: int) -> None:
    """The rows of the entry, and what the wearable shall know of it, in the same commit."""
    entry, wearer = ask.entry, ask.wearer
    assert wearer is not None
    corrected = None
    if entry.refers_to is not None:
        corrected = tx.execute(
            "SELECT audit FROM context_entries WHERE entry_id = ?", (entry.refers_to,)
        ).fetchone()[0]
    tx.execute(
        "INSERT INTO context_entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            audit, entry.id, wearer.row, entry.account, entry.observed_utc_ms, entry.entered_utc_ms, corrected,
            wearer.simulated,
        ),
    )  # fmt: skip
    tx.executemany(
        "INSERT INTO context_values VALUES (?, ?, ?)",
        [(audit, key, json.dumps(value)) for key, value in context_values.from_signed(entry.values).items()],
    )
    numbers = numbers_of(audit, in_force(tx, wearer.row), wearer.profile, rules_for(tx, wearer.row))
    if numbers:
        outgoing.put(
            tx, audit, wearer.row, proof_of(ask.signature), observed_utc_ms=entry.observed_utc_ms, numbers=numbers
        )  # fmt: skip
