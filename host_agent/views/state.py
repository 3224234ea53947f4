"""What the store says about every wearable and delivery: the data behind `status`, `devices` and `doctor`."""

import sqlite3
from collections.abc import Mapping
from typing import Any

from crs_core import code_texts, codes, units
from crs_core.grade import rules

from host_agent.escalation.pauses import open_pause
from host_agent.keys.keyfile import ROLE_NAMES, DeviceKey
from host_agent.patient.binding_rows import open_binding
from host_agent.patient.profile import day_number
from host_agent.people.outgoing import waiting
from host_agent.people.regrade import Regraded, regrade
from host_agent.store.outbox import counts
from host_agent.sync.timebase import record_time
from host_agent.text import grade_text, iso_utc, local_time, missing_names, scale_name
from host_agent.views.calibrations import Calibrations
from host_agent.views.context_rows import signed_rows
from host_agent.views.grade_text import scale_text


def read_state(tx: sqlite3.Connection | None, keys: Mapping[bytes, DeviceKey], now_ms: int) -> dict[str, Any]:
    """Everything `status --json` gives without the agent; `tx` None: nothing was ever stored."""
    devices = []
    seen: set[bytes] = set()
    if tx is not None:
        for row in tx.execute(
            "SELECT id, device_id, name, simulated, last_seen_utc_ms, settings FROM devices ORDER BY id"
        ).fetchall():
            seen.add(row[1])
            devices.append(_device(tx, row, keys.get(row[1]), now_ms))
    devices += [_unseen(key) for device_id, key in sorted(keys.items()) if device_id not in seen]
    return {
        "devices": devices,
        "agent_alarms": _host_alarms(tx, None) if tx is not None else [],
        "deliveries": counts(tx) if tx is not None else {},
        "delivery_errors": _delivery_errors(tx) if tx is not None else {},
    }


def _unseen(key: DeviceKey) -> dict[str, Any]:
    return {
        "device_id": key.device_id.hex(), "name": key.name, "role": ROLE_NAMES[key.role], "simulated": None,
        "last_seen": None, "site": None, "patient": None, "journal": None, "newest_reading": None, "calibration": None,
        "pause": None, "grade": None,
        "grades": {}, "prompts": {"due": [], "missed": []}, "alarms": [], "signed": [], "context_waiting": 0,
    }  # fmt: skip


def _device(
    tx: sqlite3.Connection, row: tuple[Any, ...], key: DeviceKey | None, now_ms: int
) -> dict[str, Any]:
    device, device_id, name, simulated, last_seen_utc_ms, settings = row
    binding = open_binding(tx, device)
    journal = tx.execute(
        "SELECT id, journal_id, branch, cursor, binding FROM journals WHERE device = ? AND is_current = 1",
        (device,),
    ).fetchone()
    site = dict(line.split("=", 1) for line in settings.splitlines() if "=" in line).get("site")
    is_graded = journal is not None and journal[4] is not None
    newest = _newest_reading(tx, device, journal[0], now_ms) if journal else None
    told = Calibrations(tx).newest(journal[0]) if journal else None
    grade = _grade(tx, device, journal[0]) if is_graded else None
    if grade is not None:  # what was true then is not known to be true now
        age_s = newest["age_s"] if newest else None
        grade["stale"] = age_s is None or age_s * 1000 > rules.DEFAULT.grade_temp_max_age_ms
    whole = regrade(tx, binding.row, now_ms, record_time) if binding else None
    return {
        "device_id": device_id.hex(),
        "name": name or (key.name if key else ""),
        "role": ROLE_NAMES[key.role] if key else None,
        "simulated": bool(simulated),
        "last_seen": iso_utc(last_seen_utc_ms),
        "site": site,
        "patient": {
            "id": binding.pseudonym,
            "binding_id": binding.binding_id.hex(),
            "state": binding.state,
            "day": day_number(binding.profile, now_ms),
        }
        if binding
        else None,
        "journal": {
            "journal_id": journal[1].hex(), "branch": journal[2], "synced_to_seq": journal[3],
            "quarantined": journal[4] is None,
        }
        if journal
        else None,
        "newest_reading": newest,
        "calibration": told.fields() if told else None,
        "pause": _pause(tx, device, now_ms),
        "grade": grade,
        "grades": _grades(whole, now_ms, bool(simulated)) if whole else {},
        "prompts": {
            "due": whole.prompts.due if whole else [], "missed": whole.prompts.missed if whole else [],
        },
        "signed": _signed(tx, binding.row) if binding else [],
        "context_waiting": len(waiting(tx, binding.row)) if binding else 0,
        "alarms": (_wearable_alarms(tx, device, journal[0]) if is_graded else []) + _host_alarms(tx, device),
    }  # fmt: skip


def _pause(tx: sqlite3.Connection, device: int, now_ms: int) -> dict[str, Any] | None:
    """The planned pause that runs by this clock, or that was to be over and whose end is not stored."""
    pause = open_pause(tx, device)
    return pause and {
        "why": pause.why, "since": iso_utc(pause.since_utc_ms), "until": iso_utc(pause.until_utc_ms),
        "left_s": (pause.until_utc_ms - now_ms) // 1000,
    }  # fmt: skip


def _grades(whole: Regraded, now_ms: int, simulated: bool) -> dict[str, dict[str, Any]]:
    """Scale → the host's own grade of this moment, with its sentence. No code stands with a computed grade."""
    found = {}
    for name, grade in whole.grades.items():
        held = grade["held"]
        since = held and {"lower": held["lower"], "since": iso_utc(held["utc_ms"])}
        one = {**grade, "held": since, "simulated": simulated}
        found[name] = {**one, "text": scale_text(name, one, local_time(now_ms)[:5])}
    return found


def _signed(tx: sqlite3.Connection, binding: int) -> list[dict[str, Any]]:
    """The newest signed grade of each scale and what was signed about a death; nothing that was reversed."""
    rows = [row for row in signed_rows(tx, binding) if row["reversed_by"] is None]
    newest = {row["scale"]: row["audit"] for row in rows if row["record"] == "grade"}
    return [
        row for row in rows
        if row["record"] == "death" or (row["record"] == "grade" and newest[row["scale"]] == row["audit"])
    ]  # fmt: skip


def _newest_reading(tx: sqlite3.Connection, device: int, journal: int, now_ms: int) -> dict[str, Any] | None:
    row = tx.execute(
        "SELECT seq, boot, t_ms, temp_cc, spo2_tenths, hr_bpm, pi_hundredths, status, simulated FROM readings"
        " WHERE journal = ? ORDER BY seq DESC LIMIT 1",
        (journal,),
    ).fetchone()
    if row is None:
        return None
    seq, boot, t_ms, temp_cc, spo2_tenths, hr_bpm, pi_hundredths, status, simulated = row
    moment = record_time(tx, device, boot, t_ms)
    return {
        "seq": seq, "at": iso_utc(moment[0]) if moment else None, "time_bound_ms": moment[1] if moment else None,
        "age_s": _age_s(moment, now_ms),
        "temp_cc": temp_cc, "spo2_tenths": spo2_tenths, "hr_bpm": hr_bpm, "pi_hundredths": pi_hundredths,
        "site": units.SITES[units.site_of(status)], "temp_state": units.temp_state_of(status),
        "ppg_state": units.ppg_state_of(status), "simulated": bool(simulated),
    }  # fmt: skip


def _age_s(moment: tuple[int, int] | None, now_ms: int) -> int | None:
    """Seconds; 0 within the error of the time, negative when it lies ahead of this clock for certain."""
    if moment is None:
        return None
    age_ms = now_ms - moment[0]
    if age_ms < 0:
        age_ms = min(age_ms + moment[1], 0)
    return -(-age_ms // 1000) if age_ms < 0 else age_ms // 1000


def _grade(tx: sqlite3.Connection, device: int, journal: int) -> dict[str, Any] | None:
    row = tx.execute(
        "SELECT boot, t_ms, scale, scale_version, lower, upper, fever, status, reasons, missing, simulated"
        " FROM grades WHERE journal = ? ORDER BY seq DESC LIMIT 1",
        (journal,),
    ).fetchone()
    if row is None:
        return None
    boot, t_ms, scale, version, lower, upper, fever, status, why, missing, simulated = row
    moment = record_time(tx, device, boot, t_ms)
    signed = status == codes.SIGNED
    return {
        "scale": scale_name(scale, version, "-"), "lower": lower, "upper": upper,
        "fever": codes.FEVER_NAMES[fever] if fever < len(codes.FEVER_NAMES) else str(fever),
        "signed": signed, "since": iso_utc(moment[0]) if moment else None, "simulated": bool(simulated),
        "reasons": [code_texts.reason_text(code) for code in why], "missing": missing_names(missing),
        "text": grade_text(
            scale, version, lower=lower, upper=upper, missing=missing, signed=signed,
            at_text=local_time(moment[0])[:5] if moment else "a time not known",
        ),
    }  # fmt: skip


def _wearable_alarms(tx: sqlite3.Connection, device: int, journal: int) -> list[dict[str, Any]]:
    rows = tx.execute(
        "SELECT alarm, priority, boot, t_ms, simulated FROM ("
        " SELECT *, row_number() OVER (PARTITION BY alarm ORDER BY seq DESC) AS newest FROM alarm_changes"
        "  WHERE journal = ?) WHERE newest = 1 AND priority > 0 ORDER BY priority DESC, alarm",
        (journal,),
    ).fetchall()
    out = []
    for alarm, priority, boot, t_ms, simulated in rows:
        moment = record_time(tx, device, boot, t_ms)
        out.append(_alarm(alarm, priority, moment[0] if moment else None, simulated=bool(simulated)))
    return out


def _host_alarms(tx: sqlite3.Connection, device: int | None) -> list[dict[str, Any]]:
    rows = tx.execute(
        "SELECT h.alarm, h.priority, h.raised_utc_ms, coalesce(d.simulated, 0), h.detail FROM host_alarms h"
        " LEFT JOIN devices d ON d.id = h.device WHERE coalesce(h.device, 0) = ? AND h.ended_utc_ms IS NULL"
        " ORDER BY h.priority DESC, h.id",
        (device or 0,),
    ).fetchall()
    return [
        _alarm(alarm, priority, raised_utc_ms, simulated=bool(simulated), by="host", detail=detail)
        for alarm, priority, raised_utc_ms, simulated, detail in rows
    ]


def _alarm(
    alarm: int, priority: int, utc_ms: int | None, *, simulated: bool, by: str = "wearable", detail: str = ""
) -> dict[str, Any]:
    name = code_texts.alarm_name(alarm)
    return {
        "name": name, "priority": codes.PRIORITY_NAMES[priority & 3], "since": iso_utc(utc_ms) if utc_ms else None,
        "raised_by": by, "text": code_texts.ALARM_TEXTS.get(alarm, name), "detail": detail, "simulated": simulated,
    }  # fmt: skip


def _delivery_errors(tx: sqlite3.Connection) -> dict[str, str]:
    """Target → why its oldest waiting or refused delivery is not there."""
    rows = tx.execute(
        "SELECT target, state, last_error FROM outbox WHERE state IN ('pending', 'refused') AND last_error <> ''"
        " ORDER BY id DESC"
    )
    return {target: f"{state}: {error}" for target, state, error in rows}
