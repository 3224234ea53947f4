"""What the page shows at one moment, in JSON types: what `status` shows, alarms one can accept, and who was told."""

from collections.abc import Mapping
from typing import Any

from crs_core import codes, units

from host_agent.errors import HostAgentError
from host_agent.keys.keyfile import DeviceKey
from host_agent.patient.contact import NAMELESS, Contact
from host_agent.store.db import DatabaseError, Tx
from host_agent.text import (
    heart_rate_text,
    local_of_iso,
    local_time,
    prompt_names,
    saturation_text,
    site_name,
    span_text,
    temperature_at_text,
    temperature_words,
)
from host_agent.views.standing_rows import standing_rows
from host_agent.views.state import read_state
from host_agent.views.state_facts import age_s

_LAPTOP: dict[str, Any] = {"device_id": None, "patient": None}
_WORDS = {"measuring": 0, "paused": 1}  # of a state; every other word is worse


def page_state(
    tx: Tx | None, keys: Mapping[bytes, DeviceKey], now_ms: int, live: Mapping[str, Any], problem: str = ""
) -> dict[str, Any]:
    """Several patients: the worst first. `problem` is why `tx` is None, "" when nothing was ever stored."""
    data = read_state(tx, keys, now_ms, live)
    wearables = [_wearable_or_why_not(one, now_ms) for one in data["devices"]]
    problems = [f"What is stored cannot be read: {problem}"] if problem else []
    if live["store_error"] and not problem:
        problems.append(f"The agent cannot store: {live['store_error']}")
    try:
        standing = [] if tx is None else standing_rows(tx, now_ms)
    except (HostAgentError, DatabaseError):
        raise
    except Exception as error:  # a damaged row must not hide what the wearables say
        standing = []
        why = f"{type(error).__name__}: {error}"
        problems.append(
            f"Alarms may be missing here, and none can be accepted here ({why}). Call the engineer."
        )
    alarms = _alarms(data, wearables, standing)
    return {
        "now": local_time(now_ms, with_date=True),
        "clock": local_time(now_ms, with_seconds=False),
        "simulated": any(one["simulated"] for one in wearables),
        "problems": problems,
        "alarms": alarms,
        "wearables": sorted(wearables, key=lambda one: _worst(one, alarms)),
        "told": [
            {
                "receiver": name,
                "counts": ", ".join(f"{number} {state}" for state, number in sorted(states.items())),
                "error": data["delivery_errors"].get(name, ""),
            }
            for name, states in sorted(data["deliveries"].items())
        ],
    }


def _alarms(
    data: Mapping[str, Any], wearables: list[dict[str, Any]], standing: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The most urgent first, each once, with what is needed to accept it."""
    rows = {_key(row["device_id"], row["binding_id"], row): row for row in standing}
    of_whom: list[tuple[Any, Any, dict[str, Any]]] = [
        *zip(data["devices"], (one["alarms"] for one in data["devices"]), wearables, strict=True),
        (_LAPTOP, data["agent_alarms"], {"device_id": "", "about": "this laptop", "call": ""}),
    ]
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for device, alarms, about in of_whom:
        binding_id = device["patient"]["binding_id"] if device["patient"] else None
        for one in alarms:  # the most urgent first: what rose, and is stored as it was before, stands once
            key = _key(device["device_id"], binding_id, one)
            found.setdefault(key, _alarm(one, rows.get(key), about))
    shown = {one["number"] for one in found.values()}
    names = {(one["device_id"], one["binding_id"]): one["about"] for one in wearables if one["is_bound"]}
    alone = [
        _standing_alone(row, names.get((row["device_id"], row["binding_id"])) or row["patient"] or "")
        for row in standing
        if row["number"] not in shown
    ]
    return sorted([*found.values(), *alone], key=lambda one: -one["level"])


def _key(device_id: str | None, binding_id: str | None, one: Mapping[str, Any]) -> tuple[Any, ...]:
    """Of an alarm or of its row. One of this laptop goes on over a change of patient."""
    by_host = one["raised_by"] == "host"
    return device_id, None if by_host else binding_id, one["raised_by"], one["name"]


def _worst(wearable: Mapping[str, Any], alarms: list[dict[str, Any]]) -> tuple[int, int, str]:
    level = max((one["level"] for one in alarms if one["device_id"] == wearable["device_id"]), default=0)
    return -level, -_WORDS.get(wearable["state_word"], 2), wearable["about"]


def _alarm(one: Mapping[str, Any], row: Mapping[str, Any] | None, whose: Mapping[str, Any]) -> dict[str, Any]:
    """`number` None: nobody can accept it, because it has no record here yet."""
    return {
        "name": one["name"], "priority": one["priority"], "level": codes.PRIORITY_NAMES.index(one["priority"]),
        "text": one["text"], "sound": one.get("sound", ""), "simulated": bool(one["simulated"]),
        "about": whose["about"], "call": whose["call"], "device_id": whose["device_id"],
        "number": row["number"] if row else None,
        "accepted": row["acceptance"] if row else None, "silenced": row["silence"] if row else None,
    }  # fmt: skip


def _standing_alone(row: Mapping[str, Any], about: str) -> dict[str, Any]:
    """What stands until somebody accepts it and no wearable raises, such as a grade that rose."""
    return {
        "name": row["name"], "priority": row["priority"], "level": row["level"], "text": row["text"], "sound": "",
        "simulated": row["simulated"], "about": about, "call": "", "device_id": row["device_id"] or "",
        "number": row["number"], "accepted": row["acceptance"], "silenced": row["silence"],
    }  # fmt: skip


def _wearable_or_why_not(device: Mapping[str, Any], now_ms: int) -> dict[str, Any]:
    """One wearable never hides another: where its values have no words, only what is known without them is shown."""
    try:
        return _wearable(device, now_ms)
    except Exception as error:
        kept = {"device_id", "name", "simulated", "broken", "call", "unit", "state"}
        whole = {
            "patient": None, "prompts": {"due": [], "missed": []}, "grade": None, "patient_text": "",
            "shows_live": False, "newest_reading": None, "grades": {}, "signed": [], "battery_text": "",
            "context_waiting": 0, "context_dropped": 0, **{name: device[name] for name in kept},
        }  # fmt: skip
        return _wearable({**whole, "broken": device["broken"] or f"{type(error).__name__}: {error}"}, now_ms)


def _wearable(device: Mapping[str, Any], now_ms: int) -> dict[str, Any]:
    patient = device["patient"]
    name = device["name"] or NAMELESS
    call = device["call"] or {}
    contact = Contact(care_team=call.get("care_team") or "", emergency=call.get("emergency") or "")
    due, missed = device["prompts"]["due"], device["prompts"]["missed"]
    grade = device["grade"]
    old = "Not known now, the data is too old. Last: " if grade and grade["stale"] else ""
    return {
        "device_id": device["device_id"], "name": name, "simulated": bool(device["simulated"]),
        "about": (patient["label"] or patient["id"]) if patient else name,
        "day": f"Day {patient['day']:+d}" if patient and patient["day"] is not None else "",
        "is_bound": bool(patient), "binding_id": patient["binding_id"] if patient else "",
        "broken": device["broken"] or "",
        "state_word": device["state"]["word"], "state": device["state"]["text"],
        "patient_text": device["patient_text"], "values": _values(device, now_ms),
        "grade": f"{old}{grade['text']}" if grade else ("No grade yet." if patient else ""),
        "grades": [one["text"] for one in device["grades"].values()],
        "due": prompt_names(due), "missed": prompt_names(missed),
        "signed": [f"{local_of_iso(one['at'], with_date=True)}: {one['text']}" for one in device["signed"]],
        "battery": device["battery_text"], "call": contact.call, "care_team": contact.care_team,
        "emergency": contact.emergency, "waiting": device["context_waiting"], "dropped": device["context_dropped"],
    }  # fmt: skip


def _values(device: Mapping[str, Any], now_ms: int) -> list[dict[str, str]]:
    """Temperature, oxygen and pulse: the value or why there is none, and how old it is."""
    live, newest = device.get("live"), device["newest_reading"]
    if device["shows_live"] and live is not None:
        age = age_s(device.get("live_age_s"), device["live_utc_ms"], now_ms) or 0
        status, temp_cc, spo2, pulse = live["status"], live["temp_cc"], live["spo2_tenths"], live["hr_bpm"]
        site, temp_state, ppg_state = (
            site_name(status),
            units.temp_state_of(status),
            units.ppg_state_of(status),
        )
        when = f"{span_text(age)} ago"
    elif newest is not None:
        temp_cc, spo2, pulse = newest["temp_cc"], newest["spo2_tenths"], newest["hr_bpm"]
        site, temp_state, ppg_state = newest["site"], newest["temp_state"], newest["ppg_state"]
        old = newest["age_s"]
        when = "at a time not known" if old is None else f"{span_text(old)} ago, the last that is stored"
    else:
        return [
            {"name": what, "value": "no reading yet", "detail": ""}
            for what in ("Temperature", "Oxygen saturation (SpO2)", "Heart rate")
        ]
    has_temp = temp_cc is not None and temp_state == units.TEMP_VALID
    temperature = (
        temperature_words(temp_cc, device["unit"])
        if has_temp
        else temperature_at_text(temp_cc, site, temp_state).removeprefix("temperature ")
    )
    return [
        {"name": "Temperature", "value": temperature, "detail": f"{site}, {when}" if has_temp else when},
        {"name": "Oxygen saturation (SpO2)", "value": saturation_text(spo2, ppg_state), "detail": when},
        {"name": "Heart rate", "value": heart_rate_text(pulse), "detail": when},
    ]
