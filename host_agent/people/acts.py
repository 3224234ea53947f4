"""A guarded act: monitoring ends while a HIGH alarm stands, and somebody stands for it with name, reason and pseudonym.

One signed entry of kind `act`. `patients` is the pseudonym that was typed for each binding concerned; `alarms` what
stood then. `ticket` is what a running agent gave out for it, once: laptop, wearable, port and a random number. After a
restore, `lost` says which part of the chain was given up.
"""

import re
from typing import Any, NamedTuple

from host_agent.people.asking import Ask, Refusal
from host_agent.people.entry import Entry
from host_agent.store.bindings import bindings
from host_agent.store.db import Tx
from host_agent.store.devices import devices

REASON_CHARS = 200
_BINDING = re.compile(r"[0-9a-f]{16}")
TICKET = ("device", "laptop", "once", "port")
# letters by their class that are drawn as nothing
_DRAWN_AS_NOTHING = frozenset("\u115f\u1160\u3164\uffa0")


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
        Act("patient_start", "a new binding is being made, and ends the one that was open"),
        Act("close_episode", "the end of the episode was signed"),
        Act(
            "release",
            "the wearable's port is being lent to another program; the laptop does not monitor",
        ),
        Act("pause", "a planned pause is being announced"),
        Act("revoke", "another laptop is being shut out from the wearable"),
        Act("enrol", "the key of the wearable is being replaced"),
        Act("restore", "the store of the laptop is being replaced by a backup"),
        Act("test_alarm", "the alarm chain is being tested"),
        Act("stop", "the agent is being stopped"),
    )
}


def fault(values: dict[str, Any]) -> str:
    """What is wrong with the values of an act; "" when nothing is."""
    if set(values) - {"lost", "ticket"} != {"act", "reason", "patients", "alarms"}:
        return "an act has act, reason, patients and alarms"
    if values["act"] not in ACTS:
        return f"act: one of {', '.join(ACTS)}"
    if "lost" in values and values["act"] != "restore":
        return "lost: only a restore gives something up"
    if "lost" in values and not _is_loss(values["lost"]):
        return "lost: rows, head and proofs of the chain that is given up"
    patients = values["patients"]
    if not isinstance(patients, dict) or not all(map(_BINDING.fullmatch, patients)):
        return "patients: the pseudonym of each binding"
    ticket = values.get("ticket", dict.fromkeys(TICKET, ""))
    if not isinstance(ticket, dict) or set(ticket) != set(TICKET) or not all(map(_is_text, ticket.values())):
        return f"ticket: {', '.join(TICKET)}, as the agent gave it out"
    return reason_fault(values["reason"]) or alarms_fault(values["alarms"])


def reason_fault(reason: object) -> str:
    """What is wrong with a reason; "" when nothing is. What nobody can read is none."""
    if not isinstance(reason, str) or not reason.strip() or len(reason) > REASON_CHARS:
        return f"reason: 1 to {REASON_CHARS} characters"
    if not reason.isprintable():
        return "reason: only characters that can be read, on one line"
    if not any(sign.isalnum() and sign not in _DRAWN_AS_NOTHING for sign in reason):
        return "reason: say why in words"
    return ""


def _is_loss(lost: object) -> bool:
    return (
        isinstance(lost, dict)
        and set(lost) == {"rows", "head", "proofs"}
        and type(lost["rows"]) is int
        and _is_text(lost["head"])
        and isinstance(lost["proofs"], list)
        and all(map(_is_text, lost["proofs"]))
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 4096


def alarms_fault(alarms: object) -> str:
    """What is wrong with a list of alarms; "" when nothing is."""
    if isinstance(alarms, list) and all(isinstance(one, str) and 0 < len(one) < 65 for one in alarms):
        return ""
    return "alarms: the names of the alarms that stand"


def given_up(entry: Entry) -> dict[str, Any] | None:
    """What a signed restore says that it gave up of the chain; None for every other entry, whatever stands in it."""
    lost = entry.values.get("lost")
    is_restore = entry.kind == "act" and entry.values.get("act") == "restore"
    return lost if is_restore and isinstance(lost, dict) else None


def check(tx: Tx, ask: Ask) -> Refusal | None:
    """Whether this act may be signed: its pseudonyms must be those of the bindings that it names."""
    values = ask.entry.values
    if why := fault(values):
        return Refusal("bad_value", why)
    known = {one.binding_id.hex(): one.patient or one.device_id.hex() for one in bindings(tx)}
    # a patient whom another laptop bound has no pseudonym here, only a wearable
    wearables = {one.device_id.hex() for one in devices(tx)}
    for binding, typed in values["patients"].items():
        is_right = known[binding] == typed if binding in known else typed in wearables
        if not is_right and (binding in known or values["act"] != "restore"):
            return Refusal("wrong_patient", f"{typed!r} is not the pseudonym of the patient concerned.")
    return None
