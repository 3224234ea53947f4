"""One event as it leaves the laptop: versioned JSON, the same bytes at every attempt.

The key names the cause (wearable, journal, branch, sequence, kind). The same record gives the same key after a crash, a
second sync or a restored database, so a receiver can drop repeats.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from crs_core import code_texts, codes, units

from host_agent import NOTICE
from host_agent.escalation.words.reader import NURSE
from host_agent.escalation.words.values import NO_VALUES, Values
from host_agent.escalation.words.wording import worded
from host_agent.patient.contact import Contact
from host_agent.store.audit import Head
from host_agent.text import iso_utc, priority_name

SCHEMA = "cytowatch.event/1"
NO_FACTS: Mapping[str, Any] = MappingProxyType({})


class Origin(NamedTuple):
    """Where an event comes from. `device_id`, `journal_id` hex; `seq` None for the host's own alarms."""

    device_id: str | None
    device_name: str
    journal_id: str | None
    branch: int
    seq: int | None
    boot: int | None
    t_ms: int | None


class Patient(NamedTuple):
    """The binding that the event belongs to. `label` "": the patient is called by the pseudonym."""

    pseudonym: str
    binding_id: str
    day: int | None
    label: str = ""


class Event(NamedTuple):
    """Ready for the outbox: `payload` is final. `alarm` is its alarm id, 0 for a grade rise."""

    key: str
    alarm: int
    priority: int
    simulated: bool
    payload: str
    origin: Origin
    patient: Patient | None
    contact: Contact

    @property
    def share(self) -> str:
        """The wearable whose event it is, "" for the agent itself."""
        return self.origin.device_id or ""

    @property
    def kind(self) -> str:
        """What it repeats when it comes again, "" when it never does. Alarm ids that nobody knows are one kind."""
        if not self.alarm:
            return ""
        without_record = "unjournaled" if self.origin.journal_id else "host"
        source = without_record if self.origin.seq is None else "alarm"
        known = self.alarm in code_texts.ALARM_NAMES and (
            source == "host" or self.alarm <= codes.LAST_TOLD_ALARM or self.alarm == codes.NOBODY_REACHED
        )
        return f"{source}-{self.alarm if known else 'unknown'}"


def alarm_event(
    origin: Origin,
    patient: Patient | None,
    *,
    alarm: int,
    priority: int,
    simulated: bool,
    occurred: tuple[int, int] | None,
    contact: Contact,
    now_ms: int,
    values: Values = NO_VALUES,
    detail: str = "",
    facts: Mapping[str, Any] = NO_FACTS,
    key: str | None = None,
) -> Event:
    """An alarm of the wearable, or of the host (no `seq` in `origin`); `occurred` = (utc_ms, bound_ms).

    The key comes from the record's place in the journal; an alarm without a record gives its own `key`. `now_ms` is
    when it is made: an alarm that comes late says so. `facts` are what its words need beside its other fields.
    """
    name = code_texts.alarm_name(alarm)
    body = {
        "kind": "alarm",
        "name": name,
        "detail": detail,
        "alarm": {
            "id": alarm,
            "name": name,
            "priority": priority_name(priority),
            "host": origin.seq is None,
        },
        "grade": None,
        "values": _values(values),
    }
    key = key or f"{_source_key(origin)}-alarm-{alarm}"
    return _event(
        key, alarm, priority, simulated=simulated, origin=origin, patient=patient, occurred=occurred, contact=contact,
        body=body, facts=facts, now_ms=now_ms,
    )  # fmt: skip


def together_event(event: Event, number: int, first_utc_ms: int, last_utc_ms: int) -> Event:
    """`number` more events like `event`, told as one; the times are those of the first and the last."""
    origin = event.origin
    return alarm_event(
        Origin(origin.device_id, origin.device_name, None, 0, None, None, None),
        event.patient,
        alarm=event.alarm,
        priority=event.priority,
        simulated=event.simulated,
        occurred=(last_utc_ms, 0),
        contact=event.contact,
        now_ms=last_utc_ms,
        facts={
            "repeated": {
                "number": number,
                "first_at": iso_utc(first_utc_ms),
                "last_at": iso_utc(last_utc_ms),
            }
        },
        key=f"{origin.device_id or 'agent'}-again-{event.kind}-{event.priority}-{first_utc_ms}",
    )


def grade_event(
    origin: Origin,
    patient: Patient | None,
    *,
    grade: dict[str, Any],
    priority: int,
    simulated: bool,
    occurred: tuple[int, int] | None,
    contact: Contact,
    now_ms: int,
) -> Event:
    """A rise of the lower bound; `grade` is the payload's object (scale, lower, upper, …)."""
    body = {
        "kind": "grade_rise", "name": "GRADE_RISE", "detail": "", "alarm": None, "grade": grade, "values": None,
    }  # fmt: skip
    key = f"{_source_key(origin)}-grade"
    return _event(
        key, 0, priority, simulated=simulated, origin=origin, patient=patient, occurred=occurred, contact=contact,
        body=body, facts=NO_FACTS, now_ms=now_ms,
    )  # fmt: skip


def signed_event(
    origin: Origin,
    patient: Patient | None,
    *,
    kind: str,
    name: str,
    priority: int,
    simulated: bool,
    occurred_utc_ms: int,
    contact: Contact,
    key: str,
    signed: dict[str, Any] | None,
    facts: Mapping[str, Any] = NO_FACTS,
) -> Event:
    """Something that a person signed; `kind` is `signed`, or `act` when monitoring ended under a HIGH alarm.

    `signed` is the payload's object of that name, None: nobody signed it. `facts` as in `alarm_event`.
    """
    body = {
        "kind": kind, "name": name, "detail": "", "alarm": None, "grade": None, "values": None, "signed": signed,
    }  # fmt: skip
    return _event(
        key, 0, priority, simulated=simulated, origin=origin, patient=patient, occurred=(occurred_utc_ms, 0),
        contact=contact, body=body, facts=facts, now_ms=occurred_utc_ms,
    )  # fmt: skip


def with_audit_head(event: Event, head: Head | None) -> Event:
    """The event with the head of the audit chain as it is when the event is queued; None: nothing was signed yet."""
    whole = json.loads(event.payload)
    whole["audit_head"] = None if head is None else {"rows": head.seq, "hash": head.hash.hex()}
    return event._replace(payload=json.dumps(whole, ensure_ascii=False, separators=(",", ":")))


def _event(
    key: str,
    alarm: int,
    priority: int,
    *,
    simulated: bool,
    origin: Origin,
    patient: Patient | None,
    occurred: tuple[int, int] | None,
    contact: Contact,
    body: dict[str, Any],
    facts: Mapping[str, Any],
    now_ms: int,
) -> Event:
    source = None
    if origin.seq is not None:
        source = {
            "journal_id": origin.journal_id,
            "branch": origin.branch,
            "seq": origin.seq,
            "boot": origin.boot,
            "t_ms": origin.t_ms,
        }
    whole = {
        "schema": SCHEMA,
        "key": key,
        "notice": NOTICE,
        "simulated": simulated,
        "priority": priority_name(priority),
        "signed": None,
        **body,
        "device": {"id": origin.device_id, "name": origin.device_name} if origin.device_id else None,
        "patient": _patient(patient),
        "call": {"care_team": contact.care_team or None, "emergency": contact.emergency or None},
        "source": source,
        "occurred_at": iso_utc(occurred[0]) if occurred else None,
        "time_bound_ms": occurred[1] if occurred else None,
        "audit_head": None,
        "about": {"patient": contact.patient, "wearable": contact.device, "unit": contact.unit},
        "facts": dict(facts),
        "made_at": iso_utc(now_ms),
    }
    payload = json.dumps(worded(whole, NURSE, now_ms), ensure_ascii=False, separators=(",", ":"))
    return Event(key, alarm, priority, simulated, payload, origin, patient, contact)


def _values(values: Values) -> dict[str, Any] | None:
    """The `values` object: None for whatever was not measured, or when nothing is known of the moment of the alarm."""
    if values is NO_VALUES:
        return None
    return {
        "temperature_cc": values.temp_cc,
        "site": units.SITES[values.site] if values.temp_cc is not None else None,
        "spo2_tenths": values.spo2_tenths,
        "heart_rate_bpm": values.hr_bpm,
        "temperature_age_ms": values.temp_age_ms if values.temp_cc is not None else None,
        "ppg_age_ms": values.ppg_age_ms if values.spo2_tenths is not None else None,
    }


def _patient(patient: Patient | None) -> dict[str, Any] | None:
    if patient is None:
        return None
    return {
        "id": patient.pseudonym, "binding_id": patient.binding_id, "day": patient.day, "label": patient.label or None,
    }  # fmt: skip


def _source_key(origin: Origin) -> str:
    return f"{origin.device_id}-{origin.journal_id}-{origin.branch}-{origin.seq}"
