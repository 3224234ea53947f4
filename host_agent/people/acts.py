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
    """One row of the table of acts: its name in entries, and what is being done, as a sentence of its own says it."""

    name: str
    words: str


# Every command and tool that ends or interrupts monitoring. What has no line here, and why: README.md of this folder.
ACTS = {
    act.name: act
    for act in (
        Act("patient_end", "the binding is being ended"),
        Act("patient_lost", "the binding is being ended on the laptop alone"),
        Act("close_episode", "the end of the episode was signed"),
        Act(
            "release",
            "the wearable's port is being lent to another program; the laptop does not monitor",
        ),
        Act("pause", "a planned pause is being announced"),
        Act("revoke", "another laptop is being shut out from the wearable"),
        Act("enrol", "the key of the wearable is being replaced"),
        Act("restore", "the store of the laptop is being replaced by a backup"),
        Act("stop", "the agent is being stopped"),
    )
}


def fault(values: dict[str, Any]) -> str:
    """What is wrong with the values of an act; "" when nothing is."""
    if set(values) - {"lost"} != {"act", "reason", "patients", "alarms"}:
        return "an act has act, reason, patients and alarms"
    if values["act"] not in ACTS:
        return f"act: one of {', '.join(ACTS)}"
    if "lost" in values and values["act"] != "restore":
        return "lost: only a restore gives something up"
    if not isinstance(values["patients"], dict):
        return "patients: the pseudonym of each binding"
    return reason_fault(values["reason"]) or alarms_fault(values["alarms"])


def reason_fault(reason: object) -> str:
    """What is wrong with a reason; "" when nothing is."""
    if not isinstance(reason, str) or not reason.strip() or len(reason) > REASON_CHARS:
        return f"reason: 1 to {REASON_CHARS} characters"
    return ""


def alarms_fault(alarms: object) -> str:
    """What is wrong with a list of alarms; "" when nothing is."""
    if isinstance(alarms, list) and all(isinstance(one, str) and 0 < len(one) < 65 for one in alarms):
        return ""
    return "alarms: the names of the alarms that stand"


def check(tx: Tx, ask: Ask) -> Refusal | None:
    """Whether this act may be signed: its pseudonyms must be those of the bindings that it names."""
    values = ask.entry.values
    if why := fault(values):
        return Refusal("bad_value", why)
    known = {one.binding_id.hex(): one.patient or one.device_id.hex() for one in bindings(tx)}
    for binding, typed in values["patients"].items():
        if (binding in known or values["act"] != "restore") and known.get(binding) != typed:
            return Refusal("wrong_patient", f"{typed!r} is not the pseudonym of the patient concerned.")
    return None
