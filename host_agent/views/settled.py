"""The rows of one wearable with what it says now: alarms and grade that no record here has yet, and the one state."""

from collections.abc import Mapping
from typing import Any

from crs_core import codes, units

from host_agent.escalation.alarm_words import When
from host_agent.escalation.words.values import Values
from host_agent.patient.contact import NAMELESS, Contact
from host_agent.text import grade_text, iso_utc, local_time
from host_agent.views.alarm_rows import alarm_row, urgency
from host_agent.views.device_state import State, device_state
from host_agent.views.state_facts import facts_of

_ASTCT_VERSION = 2019


# What stands in the place of a state that cannot be derived.
NOT_SETTLED: dict[str, Any] = {
    "state": {"word": "not_understood", "text": "not known: its data is not understood"}, "shows_live": False,
    "patient_text": "", "battery_text": "",
}  # fmt: skip


def settle(device: dict[str, Any], seen: Mapping[str, Any] | None, now_ms: int) -> None:
    """Change `device` in place; `seen` is the running agent's answer about it, None: no agent runs."""
    heard_ms = seen.get("live_utc_ms") if seen else None
    if heard_ms is not None:  # the store notes a contact when it begins
        device["last_seen"] = max(device["last_seen"] or "", iso_utc(heard_ms))
    state = device_state(facts_of(device, seen, now_ms))
    live = seen.get("live") if seen else None
    if state.shows_live and live is not None:
        fresh = _alarms_without_record(device, live, now_ms)
        if fresh:
            device["alarms"] = sorted([*device["alarms"], *fresh], key=urgency)
            state = device_state(facts_of(device, seen, now_ms))
        if device["patient"] and not (device["journal"] or {}).get("quarantined"):
            device["grade"] = _grade_of_now(device["grade"], live, device["simulated"], now_ms)
    _say(device, state)


def _say(device: dict[str, Any], state: State) -> None:
    device["state"] = {"word": state.word, "text": state.text}
    device["shows_live"], device["patient_text"] = state.shows_live, state.patient_text
    device["battery_text"] = state.battery
    for alarm, sound in zip(device["alarms"], state.alarms, strict=True):
        alarm["sound"] = sound


def _alarms_without_record(
    device: Mapping[str, Any], live: Mapping[str, Any], now_ms: int
) -> list[dict[str, Any]]:
    """What the wearable raises now and no stored record tells yet, or tells at a lower priority."""
    patient, call = device["patient"], device["call"] or {}
    contact = Contact(
        (patient.get("label") or patient["id"]) if patient else "", device["name"] or NAMELESS,
        call.get("care_team") or "",
        call.get("emergency") or "", device["unit"],
    )  # fmt: skip
    told = {one["id"]: one["priority"] for one in device["alarms"] if one["raised_by"] == "wearable"}
    names = codes.PRIORITY_NAMES
    return [
        alarm_row(
            alarm, priority, contact, When(now_ms, now_ms), simulated=bool(device["simulated"]), values=_values(live)
        )
        for alarm, priority in live["alarms"]
        if priority and (alarm not in told or names.index(told[alarm]) < priority)
    ]  # fmt: skip


def _values(live: Mapping[str, Any]) -> Values:
    status = live["status"]
    is_temp = units.temp_state_of(status) == units.TEMP_VALID
    is_ppg = units.ppg_state_of(status) == units.PPG_VALID
    return Values(
        live["temp_cc"] if is_temp else None, units.site_of(status) if is_temp else units.SITE_NONE,
        live["spo2_tenths"] if is_ppg else None, live["hr_bpm"] if is_ppg else None,
    )  # fmt: skip


def _grade_of_now(
    grade: dict[str, Any] | None, live: Mapping[str, Any], simulated: object, now_ms: int
) -> dict[str, Any] | None:
    """The stored grade while it is that of now, else what the wearable says now, whose record is still to come."""
    same = grade is not None and (grade["lower"], grade["upper"]) == (live["lower"], live["upper"])
    if grade is not None and same and not grade["stale"]:
        return grade
    if grade is None and live["lower"] is None:
        return None
    text = grade_text(
        codes.SCALE_ASTCT, _ASTCT_VERSION, lower=live["lower"], upper=live["upper"], missing=(), signed=False,
        at_text=local_time(now_ms, with_seconds=False),
    )  # fmt: skip
    known = {"scale": f"ASTCT-{_ASTCT_VERSION}", "signed": False, "since": None, "reasons": [], "missing": []}
    fever = live["fever"]
    return {
        **known, "lower": live["lower"], "upper": live["upper"], "text": text, "stale": False,
        "fever": codes.FEVER_NAMES[fever] if fever < len(codes.FEVER_NAMES) else str(fever),
        "simulated": bool(simulated),
    }  # fmt: skip
