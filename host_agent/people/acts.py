"""A guarded act: monitoring ends while a HIGH alarm stands, and somebody stands for it with name, reason and pseudonym.

One signed entry of kind `act`. `patients` is the pseudonym that was typed for each binding concerned; `alarms` what
stood then. After a restore, `lost` says which part of the chain was given up.
"""

from typing import Any, NamedTuple

from host_agent.people.asking import Ask, Refusal
from host_agent.store.bindings import bindings
from host_agent.store.db import Tx

REASON_CHARS = 200


class Act(NamedTuple):
    """One row of the table of acts: its name in entries, what it does, in words that end a sentence."""

    name: str
    words: str


# Every command of cytowatch and every tool that ends or interrupts monitoring, or makes a wearable or a laptop deaf.
# What needs no line here, and why, stands in README.md of this folder.
ACTS = {
    act.name: act
    for act in (
        Act("patient_end", "the binding was ended"),
        Act("patient_lost", "the binding was ended on this laptop, the wearable being lost"),
        Act("close_episode", "the episode was signed as ended"),
        Act("release", "the port of the wearable was lent to another program"),
        Act("pause", "a planned pause was announced"),
        Act("revoke", "another laptop was shut out from the wearable"),
        Act("enrol", "the key of the wearable was replaced"),
        Act("restore", "the store of this laptop was replaced by a backup"),
        Act("stop", "the agent was stopped"),
    )
}


def fault(values: dict[str, Any]) -> str:
    """What is wrong with the values of an act; "" when nothing is."""
    if set(values) - {"lost"} != {"act", "reason", "patients", "alarms"}:
        return "an act has act, reason, patients and alarms"
    if values["act"] not in ACTS:
        return f"act: one of {', '.join(ACTS)}"
    return reason_fault(values["reason"]) or (
        ""
        if isinstance(values["patients"], dict) and isinstance(values["alarms"], list)
        else "patients, alarms"
    )


def reason_fault(reason: object) -> str:
    """What is wrong with a reason; "" when nothing is."""
    if not isinstance(reason, str) or not reason.strip() or len(reason) > REASON_CHARS:
        return f"reason: 1 to {REASON_CHARS} characters"
    return ""


def check(tx: Tx, ask: Ask) -> Refusal | None:
    """Whether this act may be signed: its pseudonyms must be those of the bindings that it names."""
    values = ask.entry.values
    if why := fault(values):
        return Refusal("bad_value", why)
    known = {one.binding_id.hex(): one.patient for one in bindings(tx)}
    for binding, typed in values["patients"].items():
        if (binding in known or values["act"] != "restore") and known.get(binding) != typed:
            return Refusal("wrong_patient", f"{typed!r} is not the pseudonym of the patient concerned.")
    return None
