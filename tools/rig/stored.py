"""What a laptop has stored, over all its wearables, as a test or a summary asks for it; and a binding made by hand."""

from collections.abc import Iterator

from host_agent.store.alarm_changes import AlarmChange, alarm_changes
from host_agent.store.bindings import ACTIVE, add_binding, set_binding_state
from host_agent.store.db import Tx
from host_agent.store.devices import ensure_device
from host_agent.store.events import events
from host_agent.store.grades import StoredGrade, grades
from host_agent.store.journals import all_journals
from host_agent.store.readings import readings
from host_agent.store.rechecks import position
from host_agent.store.rows import StoredEvent, StoredReading


def _bound(tx: Tx) -> Iterator[int]:
    """Row ids of journals that belong to a patient."""
    return (journal.id for journal in all_journals(tx) if journal.binding is not None)


def bound_readings(tx: Tx) -> list[StoredReading]:
    """Readings of patients, in order."""
    return [reading for journal in _bound(tx) for reading in readings(tx, journal)]


def bound_grades(tx: Tx) -> list[StoredGrade]:
    """Grades that wearables decided for patients, in order."""
    return [grade for journal in _bound(tx) for grade in grades(tx, journal)]


def bound_alarm_changes(tx: Tx) -> list[AlarmChange]:
    """Changes of wearables' alarms while a patient was bound, in order."""
    return [change for journal in _bound(tx) for change in alarm_changes(tx, journal)]


def events_of_type(tx: Tx, kind: int) -> list[StoredEvent]:
    """All events of one type, in order."""
    return [event for journal in all_journals(tx) for event in events(tx, journal.id, kind)]


def all_readings(tx: Tx) -> list[StoredReading]:
    """All readings, in order."""
    return [reading for journal in all_journals(tx) for reading in readings(tx, journal.id)]


def journal_ids(tx: Tx) -> list[bytes]:
    """Every journal that a wearable ever had, in the order in which they were first seen."""
    return list(dict.fromkeys(journal.journal_id for journal in all_journals(tx)))


def rechecked_seqs(tx: Tx) -> list[int]:
    """Up to where the steps of each patient's journal were run again."""
    return [position(tx, journal).done_seq for journal in _bound(tx)]


def is_recheck_done(tx: Tx) -> bool:
    """Whether every step of every patient's journal was run again."""
    return all(found.done_seq == found.cursor for found in (position(tx, row) for row in _bound(tx)))


def bind_patient(tx: Tx, device_id: bytes, binding_id: bytes) -> None:
    """Bind an adult to this wearable without asking it, as `cytowatch patient start` leaves the store."""
    device = ensure_device(tx, device_id, 0)
    row = add_binding(tx, device, binding_id, patient=binding_id.hex(), profile="", utc_ms=0)
    set_binding_state(tx, row, ACTIVE)
