"""The alarms that stand, of a wearable and of this laptop, as rows: the most urgent first, each with its whole text."""

from typing import Any

from crs_core import code_texts, codes

from host_agent.escalation.alarm_words import When, alarm_words, values_of
from host_agent.escalation.words.values import NO_VALUES, Values
from host_agent.patient.contact import Contact, contact_of
from host_agent.store.alarm_changes import standing_alarms
from host_agent.store.db import Tx
from host_agent.store.devices import Device
from host_agent.store.episodes import AcceptedBy, acceptances
from host_agent.store.events import event_at
from host_agent.store.host_alarms import open_alarms
from host_agent.store.rows import Journal
from host_agent.sync.timebase import stored_time
from host_agent.text import iso_utc, priority_name


def alarm_rows(
    tx: Tx, device: Device, journal: Journal | None, contact: Contact, now_ms: int
) -> list[dict[str, Any]]:
    """Of one wearable; `journal` None: what it recorded is nobody's, and only this laptop's own alarms count."""
    accepted = acceptances(tx, device.id)
    rows = []
    for one in standing_alarms(tx, journal.id) if journal is not None else ():
        moment = stored_time(tx, device.id, one.boot, one.t_ms)
        event = event_at(tx, journal.id, one.seq) if journal is not None else None
        rows.append(
            alarm_row(
                one.alarm, one.priority, contact, When(moment[0] if moment else None, now_ms),
                simulated=bool(one.simulated), values=values_of(event.record) if event else NO_VALUES,
                accepted=accepted.get(("alarm", one.alarm)),
            )
        )  # fmt: skip
    return sorted(rows + host_alarm_rows(tx, device, contact, now_ms), key=urgency)


def host_alarm_rows(
    tx: Tx, device: Device | None, contact: Contact | None, now_ms: int
) -> list[dict[str, Any]]:
    """What this laptop raised about one wearable, or (None) about itself."""
    about = contact or contact_of(tx, device.id if device is not None else None)
    accepted = acceptances(tx, device.id if device is not None else None)
    return sorted(
        (
            alarm_row(
                one.alarm, one.priority, about, When(one.raised_utc_ms, now_ms),
                simulated=device is not None and device.simulated, by="host", detail=one.detail,
                accepted=accepted.get(("host", one.alarm)),
            )
            for one in open_alarms(tx)
            if one.device == (device.id if device else None)
        ),
        key=urgency,
    )  # fmt: skip


def urgency(row: dict[str, Any]) -> int:
    """The most urgent sorts first."""
    return -codes.PRIORITY_NAMES.index(row["priority"])


def alarm_row(
    alarm: int, priority: int, contact: Contact, when: When, *, simulated: bool, by: str = "wearable",
    values: Values = NO_VALUES, detail: str = "", accepted: AcceptedBy | None = None,
) -> dict[str, Any]:  # fmt: skip
    return {
        "name": code_texts.alarm_name(alarm), "priority": priority_name(priority),
        "since": iso_utc(when.utc_ms) if when.utc_ms is not None else None, "raised_by": by,
        "text": alarm_words(alarm, priority, contact, when, simulated=simulated, values=values, detail=detail),
        "detail": detail, "simulated": simulated, "id": alarm,
        "accepted_by": accepted.who if accepted else None,
        "accepted_over": accepted.channel if accepted else None,
        "accepted_until": iso_utc(accepted.until_utc_ms) if accepted else None,
        "acceptance_on_wearable": not accepted.waits if accepted else None,
    }  # fmt: skip
