"""Guarded acts, and starts and ends of bindings, as plain rows for `history` and `export`."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from host_agent.escalation.alarm_words import noun_of
from host_agent.people.acts import ACTS
from host_agent.people.entry import Entry, MalformedEntryError, decode
from host_agent.store.audit import rows_of_kinds
from host_agent.store.bindings import ENDED, ENDING, STARTING, Binding, bindings, reasons_of_ends
from host_agent.store.db import Tx
from host_agent.text import iso_utc


class ActRow(NamedTuple):
    """`devices`: row ids of the wearables that an act concerned, as far as they are known here."""

    utc_ms: int
    devices: list[int]
    row: dict[str, Any]


def act_rows(tx: Tx) -> Iterator[ActRow]:
    """Each act that somebody stood for, oldest first. What cannot be read is left to `audit verify`."""
    bound = {one.binding_id.hex(): one for one in bindings(tx)}
    for stored in rows_of_kinds(tx, ("act", "close_episode")):
        try:
            entry = decode(stored.entry)
        except MalformedEntryError:
            continue
        if entry.kind == "close_episode" and not entry.values.get("alarms"):
            continue  # it was not guarded; `signed` has it
        row, concerned = _act(entry, bound)
        devices = list(dict.fromkeys(one.device for one in concerned))
        yield ActRow(entry.entered_utc_ms, devices, {"at": iso_utc(entry.entered_utc_ms), **row})


def _act(entry: Entry, bound: dict[str, Binding]) -> tuple[dict[str, Any], list[Binding]]:
    values = entry.values
    if entry.kind == "close_episode":
        name, patients = "close_episode", {str(entry.binding): entry.patient}
    else:
        name, patients = str(values.get("act")), dict(values.get("patients", {}))
    alarms = [str(one) for one in values.get("alarms", ())]
    who = sorted({str(one) for one in patients.values()})
    words = ACTS[name].words if name in ACTS else name
    about = f"About {', '.join(who)}: " if who else ""
    stood = f" These HIGH alarms stood: {', '.join(map(noun_of, alarms))}." if alarms else ""
    text = f"{about}{words}. {entry.account} stands for it.{stood} Reason: {values.get('reason') or 'none given'}"
    concerned = [bound[one] for one in patients if one in bound]
    row = {
        "device_id": concerned[0].device_id.hex() if concerned else None, "act": name, "account": entry.account,
        "reason": values.get("reason"), "alarms": alarms, "patients": who, "bindings": sorted(patients),
        "entry": entry.id, "simulated": any(one.simulated for one in concerned), "text": text,
    }  # fmt: skip
    return row, concerned


def binding_rows(tx: Tx) -> Iterator[ActRow]:
    """The start of each binding, and its end."""
    reasons = reasons_of_ends(tx)
    for one in bindings(tx):
        shared = {
            "device_id": one.device_id.hex(), "patient": one.patient, "binding_id": one.binding_id.hex(),
            "simulated": one.simulated,
        }  # fmt: skip
        who = one.patient or "a patient without a pseudonym here"
        started = f"{who} began to wear wearable {one.device_id.hex()}"
        if one.state == STARTING:
            started = f"the start of a binding of {who} is not answered by wearable {one.device_id.hex()} yet"
        yield ActRow(
            one.started_utc_ms, [one.device],
            {"at": iso_utc(one.started_utc_ms), **shared, "change": "start", "reason": None, "text": started},
        )  # fmt: skip
        if one.state in (ENDED, ENDING) and one.ended_utc_ms is not None:
            reason = reasons.get(one.row, "")
            text = f"the binding of {who} ended" + (
                f". Reason: {reason}" if reason else ", with every record here"
            )
            yield ActRow(
                one.ended_utc_ms, [one.device],
                {"at": iso_utc(one.ended_utc_ms), **shared, "change": "end", "reason": reason or None, "text": text},
            )  # fmt: skip
