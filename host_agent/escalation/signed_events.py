"""What people signed becomes an event: receivers then hold the head of the audit chain that it made.

Context is left out: it goes to the wearable, which keeps it. So are acceptances: acceptance/telling.py tells them.
A guarded act is HIGH, everything else LOW.
"""

from typing import Any

from crs_core import code_texts
from crs_core.codes import PRIORITY_HIGH, PRIORITY_LOW

from host_agent.escalation.events import Event, Origin, signed_event
from host_agent.escalation.record_events import device_name, patient_of
from host_agent.patient.contact import contact_of
from host_agent.people.admission import Taken
from host_agent.people.entry import Entry
from host_agent.people.signed_records import signed
from host_agent.store.bindings import Binding, binding_by_row, bindings, open_bindings
from host_agent.store.contact_courses import EndedPatient
from host_agent.store.db import Tx
from host_agent.store.episodes import stood_at_end

# What its words say of an entry beside who signed it.
_FACTS = ("name", "role", "reason", "act", "alarms", "grade")


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
    """The word to all that a patient is monitored no more, or by another wearable, and which alarms then stood."""
    about = binding_by_row(tx, one.binding)
    stood = stood_at_end(tx, one.binding, one.ended_utc_ms)
    return signed_event(
        Origin(about.device_id.hex(), device_name(tx, about.device), None, 0, None, None, None),
        patient_of(tx, one.binding, now_ms),
        kind="patient_end",
        name="PATIENT_END",
        priority=PRIORITY_LOW,
        simulated=about.simulated,
        occurred_utc_ms=one.ended_utc_ms,
        contact=contact_of(tx, about.device, one.binding),
        key=f"{about.binding_id.hex()}-ended-{one.ended_utc_ms}",
        signed=None,
        facts={
            "now": _who_is_monitored(tx, about),
            "alarms": [code_texts.alarm_name(alarm) for alarm in stood],
        },
    )


def _who_is_monitored(tx: Tx, ended: Binding) -> str:
    """What became of patient and wearable: nobody, the same patient with another wearable, or another patient."""
    going_on = open_bindings(tx)
    if ended.patient and any(one.patient == ended.patient for one in going_on):
        return "patient"
    return "wearable" if any(one.device == ended.device for one in going_on) else "nobody"


def _event(tx: Tx, entry: Entry, about: Binding | None, agent_simulated: bool) -> Event:
    values = entry.values
    is_act = entry.kind == "act" or ("reason" in values and entry.kind == "close_episode")
    device_id = about.device_id.hex() if about else None
    return signed_event(
        Origin(device_id, device_name(tx, about.device if about else None), None, 0, None, None, None),
        patient_of(tx, about.row if about else None, entry.entered_utc_ms),
        kind="act" if is_act else "signed",
        name=values["act"].upper() if entry.kind == "act" else entry.kind.upper(),
        priority=PRIORITY_HIGH if is_act else PRIORITY_LOW,
        simulated=agent_simulated or (about is not None and about.simulated),
        occurred_utc_ms=entry.entered_utc_ms,
        contact=contact_of(tx, about.device if about else None, about.row if about else None),
        key=f"audit-{entry.id}" + (f"-{about.binding_id.hex()}" if is_act and about else ""),
        signed=_signed(tx, entry, about),
        facts=_facts(entry),
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


def _facts(entry: Entry) -> dict[str, Any]:
    values = entry.values
    facts = {name: values[name] for name in _FACTS if name in values}
    if entry.kind == "close_episode":
        facts["act"] = entry.kind
    if "scale" in values:
        facts["scale"] = f"{values['scale']} {values['scale_version']}"
    return facts
