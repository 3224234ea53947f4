"""Which events a stored record stands for. Reads the store, writes nothing: a host whose disk is full uses it too."""

from collections.abc import Callable
from typing import Any

from crs_core import codes, records
from crs_core.errors import CoreError
from crs_core.grade import alarms

from host_agent.escalation import rules
from host_agent.escalation.episodes import grade_key, peak_lower
from host_agent.escalation.events import Event, Origin, Patient, alarm_event, grade_event
from host_agent.patient.profile import day_number
from host_agent.store.db import Tx
from host_agent.store.rows import Journal, StoredEvent
from host_agent.text import grade_text, local_time, scale_name

_TELLING = (records.ALARM, records.GRADE, records.BOOT, records.GRADER_STATE)

Resolve = Callable[
    [Tx, int, int, int], tuple[int, int] | None
]  # (tx, device row, boot, t_ms) → (utc_ms, bound_ms)


def news(tx: Tx, journal: Journal, event: StoredEvent, resolve: Resolve, received_utc_ms: int) -> list[Event]:
    """The events of one record of a bound journal; an empty list for most records.

    BOOT and GRADER_STATE carry the alarms active then. One that no stored ALARM record accounts for was raised
    before the binding, or its record is lost: it is news too.
    """
    if event.record is None or event.type not in _TELLING:
        return []
    record: Any = event.record
    occurred = resolve(tx, journal.device, event.boot, event.t_ms)
    moment_utc_ms = occurred[0] if occurred else received_utc_ms
    origin = Origin(
        journal.device_id.hex(), device_name(tx, journal.device), journal.journal_id.hex(), journal.branch,
        event.seq, event.boot, event.t_ms,
    )  # fmt: skip
    patient = patient_of(tx, journal.binding, moment_utc_ms)
    simulated = bool(event.simulated)
    if event.type != records.GRADE:
        now, before = record_changes(tx, journal, event)
        return [
            alarm_event(
                origin, patient, alarm=alarm, priority=priority, simulated=simulated, occurred=occurred
            )
            for alarm, priority in rules.raised(now, before)
        ]
    if not rules.is_grade_rise(peak_lower(tx, grade_key(journal)), record.lower):
        return []
    return [
        grade_event(
            origin, patient, grade=grade_fields(record), simulated=simulated, occurred=occurred,
            text=record_text(record, moment_utc_ms), priority=rules.grade_priority(record.lower),
        )
    ]  # fmt: skip


def record_changes(
    tx: Tx, journal: Journal, event: StoredEvent
) -> tuple[list[tuple[int, int]], dict[int, int]]:
    """(changes, priorities before them) of an ALARM, BOOT or GRADER_STATE record."""
    record: Any = event.record
    if event.type == records.ALARM:
        return list(record.changes), active_in(record.state_before)
    return list(active_in(record.alarm_state).items()), _stored_before(tx, journal, event.seq)


def active_in(state: bytes) -> dict[int, int]:
    """Alarm → priority in an encoded alarm state; nothing when it cannot be read, so that all counts as a rise."""
    try:
        return dict(alarms.active(alarms.decode_state(state, 0)))
    except CoreError:
        return {}


def _stored_before(tx: Tx, journal: Journal, seq: int) -> dict[int, int]:
    rows = tx.execute(
        "SELECT alarm, priority, max(seq) FROM alarm_changes WHERE journal = ? AND seq < ? GROUP BY alarm",
        (journal.id, seq),
    )
    return {alarm: priority for alarm, priority, _ in rows}


def record_text(record: Any, moment_utc_ms: int) -> str:
    """The sentence of a GRADE record."""
    return grade_text(
        record.scale,
        record.scale_version,
        lower=record.lower,
        upper=record.upper,
        missing=record.missing,
        signed=record.status == codes.SIGNED,
        at_text=local_time(moment_utc_ms)[:5],
    )


def grade_fields(record: Any) -> dict[str, Any]:
    """The `grade` object of the payload."""
    return {
        "scale": scale_name(record.scale, record.scale_version, "-"),
        "lower": record.lower,
        "upper": record.upper,
        "status": _name(codes.STATUS_NAMES, record.status),
        "signed": record.status == codes.SIGNED,
        "fever": _name(codes.FEVER_NAMES, record.fever),
        "reasons": [{"code": code, "text": codes.reason_text(code)} for code in record.reasons],
        "missing": [codes.MISSING_NAMES.get(item) or f"input_{item}" for item in record.missing],
        "temp_age_ms": record.temp_age_ms,
        "ppg_age_ms": record.ppg_age_ms,
        "rule_hash": record.rule_hash.hex(),
    }


def device_name(tx: Tx, device: int | None) -> str:
    """Name of a wearable, its id when it has none, "" for the agent itself."""
    if device is None:
        return ""
    row = tx.execute("SELECT name, device_id FROM devices WHERE id = ?", (device,)).fetchone()
    return str(row[0] or row[1].hex()) if row else ""


def patient_of(tx: Tx, binding: int | None, utc_ms: int) -> Patient | None:
    """Pseudonym, binding id and day after infusion at `utc_ms`."""
    row = tx.execute(
        "SELECT p.pseudonym, b.binding_id, b.profile FROM bindings b LEFT JOIN patients p ON p.id = b.patient"
        " WHERE b.id = ?",
        (binding,),
    ).fetchone()
    return Patient(str(row[0] or ""), row[1].hex(), day_number(row[2], utc_ms)) if row else None


def _name(names: tuple[str, ...], number: int) -> str:
    return names[number] if number < len(names) else f"unknown_{number}"
