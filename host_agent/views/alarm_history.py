"""Alarms of the past as fields of a row, with the text that people had: of any wearable, patient and time."""

from typing import Any

from crs_core import code_texts

from host_agent.escalation.alarm_words import (
    When,
    alarm_noun,
    alarm_words,
    people_words,
    values_of,
)
from host_agent.escalation.words.values import NO_VALUES, Values
from host_agent.patient.contact import Contact, contact_of
from host_agent.store.alarm_changes import AlarmChange
from host_agent.store.bindings import bindings
from host_agent.store.db import Tx
from host_agent.store.events import event_at
from host_agent.store.rows import HostAlarm, Journal
from host_agent.text import iso_utc, priority_name, utc_ms_of_iso


class AlarmsTold:
    """Reads the store, and each patient and wearable once."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._contacts: dict[tuple[int | None, int | None], Contact] = {}

    def of_wearable(self, journal: Journal, change: AlarmChange, at: str | None) -> dict[str, Any]:
        """A change that a wearable journaled; `at` None: its time is not known."""
        event = event_at(self._tx, journal.id, change.seq)
        values = values_of(event.record) if event else NO_VALUES
        return _fields(
            change.alarm, change.priority, self._contact(journal.device, journal.binding), at, values=values
        )

    def of_host(self, alarm: HostAlarm) -> dict[str, Any]:
        """An alarm that this laptop raised, about whom the wearable was bound to then."""
        binding = self._bound_at(alarm.device, alarm.raised_utc_ms)
        contact = self._contact(alarm.device, binding)
        return _fields(
            alarm.alarm, alarm.priority, contact, iso_utc(alarm.raised_utc_ms), detail=alarm.detail
        )

    def _contact(self, device: int | None, binding: int | None) -> Contact:
        """Whom a text is about; what belongs to no binding is about nobody."""
        key = device, binding
        if key not in self._contacts:
            found = contact_of(self._tx, device, binding)
            self._contacts[key] = (
                found if device is None or binding is not None else found._replace(patient="")
            )
        return self._contacts[key]

    def _bound_at(self, device: int | None, utc_ms: int) -> int | None:
        """The binding of a wearable that ran at a moment of this laptop's clock."""
        found = [
            bound.row
            for bound in bindings(self._tx)
            if bound.device == device
            and bound.started_utc_ms <= utc_ms
            and (bound.ended_utc_ms is None or utc_ms <= bound.ended_utc_ms)
        ]
        return found[-1] if found else None


def _fields(
    alarm: int,
    priority: int,
    contact: Contact,
    at: str | None,
    *,
    values: Values = NO_VALUES,
    detail: str = "",
) -> dict[str, Any]:
    """The row says itself whether it is simulated, and when it was: its text says no age."""
    utc_ms = utc_ms_of_iso(at) if at else None
    when = When(utc_ms, utc_ms or 0)
    if priority:
        text = alarm_words(alarm, priority, contact, when, simulated=False, values=values, detail=detail)
    else:
        text = people_words(0, contact, when, f"no longer raised: {alarm_noun(alarm)}.", simulated=False)
    return {
        "alarm": alarm, "name": code_texts.alarm_name(alarm), "priority": priority_name(priority),
        "text": text,
    }  # fmt: skip
