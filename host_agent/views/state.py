"""Every wearable and delivery for `status`, `devices` and `doctor`: what the store has, and what the agent adds."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from crs_core import code_texts, codes, units
from crs_core.grade import alarm_state, rules
from crs_core.journal import record_layout

from host_agent.errors import HostAgentError
from host_agent.escalation.pauses import open_pause
from host_agent.keys.keyfile import DeviceKey
from host_agent.patient.contact import contact
from host_agent.patient.profile import day_number, decode_profile
from host_agent.people.regrade import Regraded, regrade
from host_agent.people.resending import to_send_again
from host_agent.store.alarm_changes import is_raised_after
from host_agent.store.bindings import label_of, open_binding
from host_agent.store.db import DatabaseError, Tx
from host_agent.store.devices import Device, devices
from host_agent.store.events import has_event_after, newest_event
from host_agent.store.grades import newest_grade
from host_agent.store.journals import current_journal
from host_agent.store.outbox import counts, delivery_errors
from host_agent.store.outgoing import waiting
from host_agent.store.readings import newest_readings
from host_agent.store.rows import Journal
from host_agent.sync.timebase import StoredTimes, stored_time
from host_agent.text import (
    grade_text,
    iso_utc,
    local_time,
    local_time_near,
    missing_names,
    scale_name,
    site_name,
    without_secrets,
)
from host_agent.views.alarm_rows import alarm_rows, host_alarm_rows
from host_agent.views.calibrations import Calibrations
from host_agent.views.context_rows import signed_rows
from host_agent.views.grade_text import scale_text
from host_agent.views.settled import NOT_SETTLED, settle

_LOOKED_AT = 600  # newest readings in which a value is looked for: some hours
# What the running agent knows of a wearable and its store does not.
_OF_THE_AGENT = (
    "link", "caught_up", "maintenance", "live", "live_text", "live_utc_ms", "live_age_s", "alarms_utc_ms",
    "battery", "battery_age_s",
)  # fmt: skip


def read_state(
    tx: Tx | None,
    keys: Mapping[bytes, DeviceKey],
    now_ms: int,
    live: Mapping[str, Any] | None = None,
    *,
    without_data_s: float = 0.0,
) -> dict[str, Any]:
    """Everything that `status --json` gives of wearables and deliveries.

    `tx` None: nothing was ever stored. `live` is the running agent's answer to `status`, None: no agent runs, and no
    data has come for `without_data_s` at least.
    """
    by_id = {entry["device_id"]: entry for entry in live["devices"]} if live else {}
    counted: dict[str, int | None] = {
        name: int(one["stored_age_s"]) for name, one in by_id.items() if "stored_age_s" in one
    }
    data = _stored(tx, keys, now_ms, defaultdict(lambda: int(without_data_s) or None, counted))
    for device in data["devices"]:
        seen = by_id.get(device["device_id"], {})
        if live:
            device |= {name: seen.get(name) for name in _OF_THE_AGENT}
        try:
            settle(device, seen if live else None, now_ms)
        except Exception as error:  # one wearable never hides another
            device |= {"broken": f"{type(error).__name__}: {error}", **NOT_SETTLED}
    return data


def _stored(
    tx: Tx | None, keys: Mapping[bytes, DeviceKey], now_ms: int, least_ages: Mapping[str, int | None]
) -> dict[str, Any]:
    """What the store has; `least_ages`: how old the newest reading of a device is at least, in s, by the agent."""
    seen = [] if tx is None else devices(tx)
    known = {one.device_id for one in seen}
    unseen = [
        _blank(device_id, key.name, key) for device_id, key in sorted(keys.items()) if device_id not in known
    ]
    if tx is None:
        return {"devices": unseen, "agent_alarms": [], "deliveries": {}, "delivery_errors": {}}
    return {
        "devices": [
            *(
                _isolated(tx, one, keys.get(one.device_id), now_ms, least_ages[one.device_id.hex()])
                for one in seen
            ),
            *unseen,
        ],
        "agent_alarms": host_alarm_rows(tx, None, None, now_ms),
        "deliveries": counts(tx),
        "delivery_errors": {
            target: f"{state}: {without_secrets(error)}"
            for target, (state, error) in delivery_errors(tx).items()
        },
    }


def _isolated(
    tx: Tx, device: Device, key: DeviceKey | None, now_ms: int, least_age_s: int | None
) -> dict[str, Any]:
    """One wearable by itself: where its data cannot be read, `broken` says why, with the alarms that can be."""
    try:
        return _device(tx, device, key, now_ms, least_age_s)
    except (HostAgentError, DatabaseError):
        raise
    except Exception as error:
        blank = _blank(device.device_id, device.name, key)
        return blank | {
            "simulated": device.simulated, "broken": f"{type(error).__name__}: {error}",
            "alarms": host_alarm_rows(tx, device, None, now_ms),
        }  # fmt: skip


def _blank(device_id: bytes, name: str, key: DeviceKey | None) -> dict[str, Any]:
    return {
        "device_id": device_id.hex(), "name": name, "role": code_texts.role_name(key.role) if key else None,
        "simulated": None, "broken": None, "last_seen": None, "site": (key.site if key else "") or None,
        "patient": None, "call": None, "unit": "C", "sound_paused_until": None, "last_value": None, "journal": None,
        "newest_reading": None, "reading_interval_s": None, "calibration": None, "pause": None, "grade": None,
        "grades": {}, "prompts": {"due": [], "missed": []}, "alarms": [], "signed": [], "context_waiting": 0,
        "context_dropped": 0,
    }  # fmt: skip


def _device(
    tx: Tx, device: Device, key: DeviceKey | None, now_ms: int, least_age_s: int | None
) -> dict[str, Any]:
    binding = open_binding(tx, device.id)
    journal = current_journal(tx, device.id)
    graded = journal if journal is not None and journal.binding is not None else None
    settings = decode_profile(device.settings)
    label = label_of(tx, binding.row) if binding else ""
    patient = label or (binding.patient or "" if binding else "")
    about = contact(device, patient, binding.profile if binding else "")
    newest = newest_reading(tx, journal, now_ms, least_age_s) if journal else None
    calibration = Calibrations(tx).newest(journal.id) if journal else None
    grade = wearable_grade(tx, graded, now_ms) if graded else None
    # A grade on old data may no longer be true.
    if grade is not None:
        age_s = newest["age_s"] if newest else None
        grade["stale"] = age_s is None or age_s * 1000 > rules.DEFAULT.grade_temp_max_age_ms
    times = StoredTimes()
    whole = regrade(tx, binding.row, now_ms, times) if binding else None
    return {
        "device_id": device.device_id.hex(),
        "name": settings.get("device_name") or device.name or (key.name if key else ""),
        "role": code_texts.role_name(key.role) if key else None,
        "simulated": device.simulated,
        "broken": None,
        "last_seen": iso_utc(device.last_seen_utc_ms),
        # what the wearable says itself comes before what its enrolment named
        "site": settings.get("site") or (key.site if key else "") or None,
        "call": {"care_team": about.care_team or None, "emergency": about.emergency or None},
        "unit": about.unit,
        "patient": {
            "id": binding.patient or "",
            "label": label or None,
            "binding_id": binding.binding_id.hex(),
            "state": binding.state,
            "day": day_number(binding.profile, now_ms),
        }
        if binding
        else None,
        "journal": {
            "journal_id": journal.journal_id.hex(), "branch": journal.branch, "synced_to_seq": journal.cursor,
            "quarantined": journal.binding is None,
        }
        if journal
        else None,
        "newest_reading": newest,
        "reading_interval_s": _interval_s(settings),
        "calibration": calibration.fields() if calibration else None,
        "pause": _pause(tx, device.id, now_ms),
        "last_value": _last_value(tx, journal) if journal else None,
        "sound_paused_until": _sound_pause(tx, device.id, settings) if graded else None,
        "grade": grade,
        "grades": scale_grades(whole, now_ms, device.simulated) if whole else {},
        "prompts": {
            "due": whole.prompts.due if whole else [], "missed": whole.prompts.missed if whole else [],
        },
        "signed": signed_now(tx, binding.row) if binding else [],
        "context_waiting": len(waiting(tx, binding.row)) if binding else 0,
        "context_dropped": len(to_send_again(tx, binding.row, None, now_ms, times)) if binding else 0,
        "alarms": alarm_rows(tx, device, graded, about, now_ms),
    }  # fmt: skip


def _last_value(tx: Tx, journal: Journal) -> str | None:
    """When a value that may be used was last measured, among the newest readings."""
    for one in newest_readings(tx, journal.id, _LOOKED_AT):
        if (
            units.temp_state_of(one.status) == units.TEMP_VALID
            or units.ppg_state_of(one.status) == units.PPG_VALID
        ):
            moment = stored_time(tx, journal.device, one.boot, one.t_ms)
            return iso_utc(moment[0]) if moment else None
    return None


def _sound_pause(tx: Tx, device: int, settings: Mapping[str, str]) -> str | None:
    """Until when a short press pauses the sound, unless an alarm rose or the wearable restarted since."""
    row = newest_event(tx, device, record_layout.BUTTON)
    if row is None or row.payload[:1] != bytes([alarm_state.BUTTON_SHORT]):
        return None
    if has_event_after(tx, row.journal, record_layout.BOOT, row.seq) or is_raised_after(
        tx, row.journal, row.seq
    ):
        return None
    moment = stored_time(tx, device, row.boot, row.t_ms)
    seconds = settings.get("sound_pause_s", "")
    return iso_utc(moment[0] + 1000 * int(seconds if seconds.isdigit() else "120")) if moment else None


def _interval_s(settings: Mapping[str, str]) -> int | None:
    """Seconds between two readings by the wearable's own settings; None when it never said it."""
    text = settings.get("reading_interval_s", "")
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) <= 60 else None


def _pause(tx: Tx, device: int, now_ms: int) -> dict[str, Any] | None:
    """The planned pause that is running, or that should be over but whose end is not stored."""
    pause = open_pause(tx, device)
    return pause and {
        "why": pause.why, "since": iso_utc(pause.since_utc_ms), "until": iso_utc(pause.until_utc_ms),
        "left_s": (pause.until_utc_ms - now_ms) // 1000,
    }  # fmt: skip


def scale_grades(whole: Regraded, now_ms: int, simulated: bool) -> dict[str, dict[str, Any]]:
    """Scale → the host's own grade of this moment, with its sentence. A computed grade has no code of a diagnosis."""
    found = {}
    for name, grade in whole.grades.items():
        held = grade["held"]
        since = held and {"lower": held["lower"], "since": iso_utc(held["utc_ms"])}
        one = {**grade, "held": since, "simulated": simulated}
        found[name] = {**one, "text": scale_text(name, one, local_time(now_ms, with_seconds=False))}
    return found


def signed_now(tx: Tx, binding: int) -> list[dict[str, Any]]:
    """The newest signed grade of each scale and what was signed about a death; nothing that was reversed."""
    rows = [row for row in signed_rows(tx, binding) if row["reversed_by"] is None]
    newest = {row["scale"]: row["audit"] for row in rows if row["record"] == "grade"}
    return [
        row for row in rows
        if row["record"] == "death" or (row["record"] == "grade" and newest[row["scale"]] == row["audit"])
    ]  # fmt: skip


def newest_reading(
    tx: Tx, journal: Journal, now_ms: int, least_age_s: int | None = None
) -> dict[str, Any] | None:
    """The newest stored reading with its age, which is at least `least_age_s`; None without one."""
    found = newest_readings(tx, journal.id, 1)
    if not found:
        return None
    one = found[0]
    moment = stored_time(tx, journal.device, one.boot, one.t_ms)
    return {
        "seq": one.seq, "at": iso_utc(moment[0]) if moment else None, "time_bound_ms": moment[1] if moment else None,
        "age_s": _age_s(moment, now_ms, least_age_s),
        "temp_cc": one.temp_cc, "spo2_tenths": one.spo2_tenths, "hr_bpm": one.hr_bpm,
        "pi_hundredths": one.pi_hundredths, "site": site_name(one.status),
        "temp_state": units.temp_state_of(one.status), "ppg_state": units.ppg_state_of(one.status),
        "simulated": bool(one.simulated),
    }  # fmt: skip


def _age_s(moment: tuple[int, int] | None, now_ms: int, least_age_s: int | None) -> int | None:
    """Whole seconds, at least `least_age_s`; None when the time is not known.

    A time that lies ahead of this clock for certain is not known: the clock was set back since the reading came. Then
    the age is what the running agent counted.
    """
    if moment is None:
        return None
    if moment[0] - moment[1] > now_ms:
        return least_age_s
    return max((now_ms - moment[0]) // 1000, least_age_s or 0, 0)


def wearable_grade(tx: Tx, journal: Journal, now_ms: int) -> dict[str, Any] | None:
    """The wearable's newest grade with its sentence; None without one."""
    one = newest_grade(tx, journal.id)
    if one is None:
        return None
    moment = stored_time(tx, journal.device, one.boot, one.t_ms)
    signed = one.status == codes.SIGNED
    return {
        "scale": scale_name(one.scale, one.scale_version, "-"), "lower": one.lower, "upper": one.upper,
        "fever": codes.FEVER_NAMES[one.fever] if one.fever < len(codes.FEVER_NAMES) else str(one.fever),
        "signed": signed, "since": iso_utc(moment[0]) if moment else None, "simulated": bool(one.simulated),
        "reasons": [code_texts.reason_text(code) for code in one.reasons], "missing": missing_names(one.missing),
        "text": grade_text(
            one.scale, one.scale_version, lower=one.lower, upper=one.upper, missing=one.missing, signed=signed,
            at_text=local_time_near(moment[0], now_ms) if moment else "a time not known",
        ),
    }  # fmt: skip
