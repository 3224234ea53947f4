"""What people signed becomes an event: receivers then hold the head of the audit chain that it made.

Context is left out: it goes to the wearable, which keeps it. So are acceptances: acceptance/telling.py tells them.
A guarded act is HIGH, everything else LOW.
"""

from typing import Any

from crs_core.codes import PRIORITY_HIGH, PRIORITY_LOW

from host_agent.escalation.alarm_words import noun_of
from host_agent.escalation.events import Event, Origin, signed_event
from host_agent.escalation.record_events import device_name, patient_of
from host_agent.patient.contact import contact_of
from host_agent.people.acts import ACTS
from host_agent.people.admission import Taken
from host_agent.people.entry import ADMINISTRATOR, Entry
from host_agent.people.signed_records import signed
from host_agent.store.bindings import Binding, binding_by_row, bindings
from host_agent.store.contact_courses import EndedPatient
from host_agent.store.db import Tx
from host_agent.text import local_time_near

_WORDS = {
    "account_add": "Account {name} ({role}) was added",
    "account_disable": "Account {name} can no longer sign",
    "administrator": "The administrator code of this laptop was made",
    "vouch": "Account {name} was vouched for",
    "death": "A death was signed; it counts when a second clinician has countersigned it",
    "countersign": "A death was countersigned. The alarms about this patient stop sounding",
    "reverse": "A signed grade or death was reversed: {reason}",
    "close_episode": "The end of the episode was signed",
    "rules": "A set of rules was signed",
    "limits": "Limits of this patient were signed",
}


def events_of_entry(tx: Tx, taken: Taken, agent_simulated: bool) -> list[Event]:
    """The events of one entry in the chain: one, or one for each patient that a guarded act concerns."""
    entry = taken.entry
    if entry.kind in ("context", "accept", "silence"):
        return []
    by_id = {one.binding_id.hex(): one for one in bindings(tx)}
    if entry.kind != "act":
        return [_event(tx, entry, by_id.get(str(entry.binding)), agent_simulated)]
    about = [by_id.get(binding) for binding in entry.values["patients"]]
    return [_event(tx, entry, one, agent_simulated) for one in about or [None]]


def end_of_patient(tx: Tx, one: EndedPatient, now_ms: int) -> Event:
    """The word to all that a patient is monitored no more."""
    about = binding_by_row(tx, one.binding)
    return signed_event(
        Origin(about.device_id.hex(), device_name(tx, about.device), None, 0, None, None, None),
        patient_of(tx, one.binding, now_ms),
        kind="patient_end",
        name="PATIENT_END",
        text=f"The monitoring of this patient ended at {local_time_near(one.ended_utc_ms, now_ms)}."
        " The wearable monitors nobody now.",
        priority=PRIORITY_LOW,
        simulated=about.simulated,
        occurred_utc_ms=one.ended_utc_ms,
        contact=contact_of(tx, about.device, one.binding),
        key=f"{about.binding_id.hex()}-ended-{one.ended_utc_ms}",
        signed=None,
    )


def _event(tx: Tx, entry: Entry, about: Binding | None, agent_simulated: bool) -> Event:
    values = entry.values
    is_act = entry.kind == "act" or ("reason" in values and entry.kind == "close_episode")
    device_id = about.device_id.hex() if about else None
    return signed_event(
        Origin(device_id, device_name(tx, about.device if about else None), None, 0, None, None, None),
        patient_of(tx, about.row if about else None, entry.entered_utc_ms),
        kind="act" if is_act else "signed",
        name=values["act"].upper() if entry.kind == "act" else entry.kind.upper(),
        text=_text(entry, is_act=is_act),
        priority=PRIORITY_HIGH if is_act else PRIORITY_LOW,
        simulated=agent_simulated or (about is not None and about.simulated),
        occurred_utc_ms=entry.entered_utc_ms,
        contact=contact_of(tx, about.device if about else None, about.row if about else None),
        key=f"audit-{entry.id}" + (f"-{about.binding_id.hex()}" if is_act and about else ""),
        signed=_signed(tx, entry, about),
    )


def _signed(tx: Tx, entry: Entry, about: Binding | None) -> dict[str, Any]:
    """The payload's `signed`: who signed what, and whether the grade or death that it is about counts now."""
    record_id = entry.refers_to or entry.id
    records = signed(tx, about.row) if about else []
    record = next((one for one in records if one.entry_id == record_id), None)
    return {
        "entry": entry.id,
        "kind": entry.kind,
        "account": entry.account,
        "record": record.entry_id if record else None,
        "record_kind": record.kind if record else None,
        "in_force": record.in_force if record else None,
        "scale": record.scale if record else None,
        "grade": record.grade if record else None,
        "cause": record.cause if record else None,
    }


def _text(entry: Entry, *, is_act: bool) -> str:
    who = "the administrator" if entry.account == ADMINISTRATOR else entry.account
    if not is_act:
        what = _grade(entry.values) if entry.kind == "grade" else _WORDS[entry.kind].format(**entry.values)
        return f"{what}. Signed by {who}."
    alarms = ", ".join(map(noun_of, entry.values["alarms"]))
    while_ = f" while HIGH alarms stand ({alarms})" if alarms else ""
    return f"{ACTS[entry.values.get('act', entry.kind)].words}{while_}. By {who}: {entry.values['reason'].rstrip('.')}."


def _grade(values: dict[str, Any]) -> str:
    grade = "a grade not specified" if values["grade"] is None else f"grade {values['grade']}"
    return f"{values['scale']} {values['scale_version']}, {grade}, was signed"
