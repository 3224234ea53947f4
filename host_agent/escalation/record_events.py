"""Which events a record makes. Reads the store and writes nothing, so it also works while the disk is full."""

from typing import Any

from crs_core import code_texts, codes
from crs_core.errors import CoreError
from crs_core.grade import alarms
from crs_core.journal import record_layout

from host_agent.escalation import rules
from host_agent.escalation.alarm_words import values_of
from host_agent.escalation.episodes import grade_key
from host_agent.escalation.events import Event, Origin, Patient, alarm_event, grade_event
from host_agent.patient.contact import Contact, contact_of
from host_agent.patient.profile import day_number
from host_agent.store.alarm_changes import priorities_before
from host_agent.store.bindings import binding_by_row, label_of
from host_agent.store.db import Tx
from host_agent.store.devices import device
from host_agent.store.episodes import peak_lower
from host_agent.store.rows import Journal, StoredEvent
from host_agent.sync.timebase import arrived_time
from host_agent.text import scale_name

_WITH_ALARMS = (record_layout.ALARM, record_layout.BOOT, record_layout.GRADER_STATE)


def events_of(
    tx: Tx, journal: Journal, event: StoredEvent, received_utc_ms: int, last_known: Contact | None = None
) -> list[Event]:
    """The events of one record of a bound journal; an empty list for most records.

    `last_known` is for a store that cannot be read now.

    BOOT and GRADER_STATE carry the alarms active then. An alarm that no stored ALARM record accounts for was raised
    before the binding, or its record is lost: it makes an event too.
    """
    if event.record is None or event.type not in (*_WITH_ALARMS, record_layout.GRADE):
        return []
    record: Any = event.record
    occurred = arrived_time(tx, journal.device, event.boot, event.t_ms, received_utc_ms)
    at_utc_ms = occurred[0] if occurred else received_utc_ms
    origin = Origin(
        journal.device_id.hex(), device_name(tx, journal.device), journal.journal_id.hex(), journal.branch,
        event.seq, event.boot, event.t_ms,
    )  # fmt: skip
    patient = patient_of(tx, journal.binding, at_utc_ms)
    simulated = bool(event.simulated)
    contact = contact_of(tx, journal.device, journal.binding).or_else(last_known)
    if event.type != record_layout.GRADE:
        now, before = record_changes(tx, journal, event)
        return [
            alarm_event(
                origin,
                patient,
                alarm=alarm,
                priority=priority,
                simulated=simulated,
                occurred=occurred,
                contact=contact,
                now_ms=received_utc_ms,
                values=values_of(record),
            )
            for alarm, priority in rules.raised(now, before)
        ]
    if not rules.is_grade_rise(peak_lower(tx, grade_key(journal)), record.lower):
        return []
    return [
        grade_event(
            origin, patient, grade=grade_fields(record), simulated=simulated, occurred=occurred,
            priority=rules.grade_priority(record.lower), contact=contact, now_ms=received_utc_ms,
        )
    ]  # fmt: skip


def record_changes(
    tx: Tx, journal: Journal, event: StoredEvent
) -> tuple[list[tuple[int, int]], dict[int, int]]:
    """(changes, priorities before them) of an ALARM, BOOT or GRADER_STATE record."""
    record: Any = event.record
    if event.type == record_layout.ALARM:
        return list(record.changes), active_in(record.state_before)
    return list(active_in(record.alarm_state).items()), priorities_before(tx, journal.id, event.seq)


def active_in(state: bytes) -> dict[int, int]:
    """Alarm → priority in an encoded alarm state; nothing when it cannot be read, so that all counts as a rise."""
    try:
        return dict(alarms.active(alarms.decode_state(state, 0)))
    except CoreError:
        return {}


def grade_fields(record: Any) -> dict[str, Any]:
    """The `grade` object of the payload."""
    return {
        "scale": scale_name(record.scale, record.scale_version, "-"),
        "lower": record.lower,
        "upper": record.upper,
        "status": _name(codes.STATUS_NAMES, record.status),
        "signed": record.status == codes.SIGNED,
        "fever": _name(codes.FEVER_NAMES, record.fever),
        "reasons": [{"code": code, "text": code_texts.reason_text(code)} for code in record.reasons],
        "missing": [code_texts.MISSING_NAMES.get(item) or f"input_{item}" for item in record.missing],
        "temp_age_ms": record.temp_age_ms,
        "ppg_age_ms": record.ppg_age_ms,
        "rule_hash": record.rule_hash.hex(),
    }


def device_name(tx: Tx, row: int | None) -> str:
    """Name of the wearable of this row id, its device id when it has none; "" for the agent and for unknown ones."""
    if row is None:
        return ""
    try:
        return device(tx, row).label
    except KeyError:
        return ""


def patient_of(tx: Tx, row: int | None, utc_ms: int) -> Patient | None:
    """Pseudonym, binding id and day after infusion at `utc_ms`, by a binding's row id; None for unknown ones."""
    if row is None:
        return None
    try:
        found = binding_by_row(tx, row)
    except KeyError:
        return None
    label = label_of(tx, row)
    return Patient(found.patient or "", found.binding_id.hex(), day_number(found.profile, utc_ms), label)


def _name(names: tuple[str, ...], number: int) -> str:
    return names[number] if number < len(names) else f"unknown_{number}"
