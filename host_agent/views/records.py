"""Stored records as plain rows with wall time, values in JSON types: what `history` and `export` read."""

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from crs_core import code_texts, codes, units
from crs_core.journal import record_layout, record_types

from host_agent.patient.binding_rows import BindingError
from host_agent.store.events import decode_event
from host_agent.store.rollups import BUCKET_MS, read_rollups
from host_agent.sync.timebase import Timebase, load_timebase
from host_agent.text import (
    grade_text,
    heart_rate_text,
    iso_utc,
    local_of_iso,
    saturation_text,
    scale_name,
    span_text,
    temperature_at_text,
    utc_ms_of_iso,
)
from host_agent.views.calibrations import Calibrations, Told, told_by
from host_agent.views.context_rows import entry_line, entry_rows, signed_rows

KINDS = (
    "readings",
    "grades",
    "alarms",
    "events",
    "gaps",
    "thinned",
    "restarts",
    "calibrations",
    "host_alarms",
    "deliveries",
    "context",
    "signed",
)
_SHOWN_CHARS = 40  # states and inputs are long hex strings; --json and export have them whole
_CAUSES = {  # machine.reset_cause() of both ports
    1: "after power was lost", 2: "by a reset", 3: "by its watchdog", 4: "after deep sleep", 5: "by a soft reset",
}  # fmt: skip
_EVENT_NAMES = {kind: name for kind, (name, _) in record_types.TYPES.items()}


class Question(NamedTuple):
    """Which rows: UTC ms bounds (None: open), the start of a device id (None: all)."""

    from_ms: int | None
    to_ms: int | None
    device: str | None


class Answer:
    """Iterate `rows`; afterwards `undated` is how many rows were left out because nothing dates them."""

    def __init__(self, tx: sqlite3.Connection, question: Question) -> None:
        self.undated = 0
        self._tx = tx
        self._question = question
        self._timebases: dict[int, Timebase] = {}
        self._devices = {
            row[0]: row[1].hex()
            for row in tx.execute("SELECT id, device_id FROM devices")
            if row[1].hex().startswith((question.device or "").lower())
        }
        if question.device and len(self._devices) != 1:
            raise BindingError(
                f"{len(self._devices)} wearables match --device {question.device}.",
                "See `cytowatch devices`.",
            )

    def rows(self, kind: str) -> Iterator[dict[str, Any]]:
        """All rows of one kind of KINDS, oldest first within a wearable."""
        yield from getattr(self, f"_{kind}")()

    def _journal_rows(
        self, table: str, columns: str
    ) -> Iterator[tuple[dict[str, Any], sqlite3.Row | tuple[Any, ...]]]:
        """Rows keyed by (journal, seq) with the fields that all of them share."""
        cursor = self._tx.execute(
            f"SELECT j.device, j.journal_id, j.branch, j.binding, t.seq, t.boot, t.t_ms, t.simulated, {columns}"  # noqa: S608
            f" FROM {table} t JOIN journals j ON j.id = t.journal ORDER BY j.device, j.id, t.seq"
        )
        for device, journal_id, branch, binding, seq, boot, t_ms, simulated, *rest in cursor:
            if device not in self._devices:
                continue
            moment = self._timebase(device).resolve(boot, t_ms)
            if not self._wanted(moment.utc_ms if moment else None):
                continue
            shared = {
                "at": iso_utc(moment.utc_ms) if moment else None, "time_bound_ms": moment.bound_ms if moment else None,
                "device_id": self._devices[device], "journal_id": journal_id.hex(), "branch": branch, "seq": seq,
                "boot": boot, "t_ms": t_ms, "simulated": bool(simulated), "quarantined": binding is None,
            }  # fmt: skip
            yield shared, tuple(rest)

    def _readings(self) -> Iterator[dict[str, Any]]:
        calibrations = Calibrations(self._tx)
        for shared, (journal, temp_cc, spo2, hr, pi, status) in self._journal_rows(
            "readings", "t.journal, t.temp_cc, t.spo2_tenths, t.hr_bpm, t.pi_hundredths, t.status"
        ):
            told = calibrations.of(journal, shared["boot"])
            offset_cc = told.temp_offset_cc if told else None
            yield {
                **shared, "calibration": told.id if told else None, "calibration_text": told.text if told else None,
                "temp_cc": temp_cc,
                "temp_raw_cc": None if temp_cc is None or offset_cc is None else temp_cc - offset_cc,
                "spo2_tenths": spo2, "hr_bpm": hr, "pi_hundredths": pi,
                "site": units.SITES[units.site_of(status)], "temp_state": units.temp_state_of(status),
                "ppg_state": units.ppg_state_of(status), "wear": units.wear_of(status), "status": status,
            }  # fmt: skip

    def _grades(self) -> Iterator[dict[str, Any]]:
        for shared, (
            scale,
            version,
            lower,
            upper,
            fever,
            status,
            why,
            missing,
            rule_hash,
        ) in self._journal_rows(
            "grades",
            "t.scale, t.scale_version, t.lower, t.upper, t.fever, t.status, t.reasons, t.missing, t.rule_hash",
        ):
            signed = status == codes.SIGNED
            at_text = local_of_iso(shared["at"])[:5] if shared["at"] else "a time not known"
            yield {
                **shared, "scale": scale_name(scale, version, "-"), "lower": lower, "upper": upper, "fever": fever,
                "signed": signed, "reasons": list(why), "missing": list(missing), "rule_hash": rule_hash.hex(),
                "text": grade_text(
                    scale, version, lower=lower, upper=upper, missing=missing, signed=signed, at_text=at_text
                ),
            }  # fmt: skip

    def _alarms(self) -> Iterator[dict[str, Any]]:
        for shared, (alarm, priority) in self._journal_rows("alarm_changes", "t.alarm, t.priority"):
            yield {**shared, **_alarm_fields(alarm, priority)}

    def _events(self) -> Iterator[dict[str, Any]]:
        for shared, (kind, payload) in self._journal_rows("events", "t.type, t.payload"):
            record: Any = decode_event(kind, payload)
            fields = {k: _plain(v) for k, v in record._asdict().items()} if record is not None else None
            name = _EVENT_NAMES.get(kind, f"TYPE_{kind}")
            yield {**shared, "type": kind, "name": name, "fields": fields, "payload": payload.hex()}

    def _gaps(self) -> Iterator[dict[str, Any]]:
        for device, journal_id, branch, first, last, reason, received in self._tx.execute(
            "SELECT j.device, j.journal_id, j.branch, g.first_seq, g.last_seq, g.reason, g.received_utc_ms"
            " FROM gaps g JOIN journals j ON j.id = g.journal ORDER BY j.device, j.id, g.first_seq"
        ):
            if device in self._devices and self._wanted(received):
                yield {
                    "at": iso_utc(received), "device_id": self._devices[device], "journal_id": journal_id.hex(),
                    "branch": branch, "first_seq": first, "last_seq": last, "reason": reason,
                    "text": f"{last - first + 1} missing: {code_texts.GAP_TEXTS.get(reason) or f'reason {reason}'}",
                }  # fmt: skip

    def _thinned(self) -> Iterator[dict[str, Any]]:
        """What retention removed: rows of readings whose roll-ups and blocks are kept."""
        for device, journal_id, branch, run, keep_days, first, last, readings, simulated in self._tx.execute(
            "SELECT j.device, j.journal_id, j.branch, t.run_utc_ms, t.keep_days, t.first_seq, t.last_seq, t.readings,"
            " EXISTS (SELECT 1 FROM rollups r WHERE r.journal = j.id AND r.simulated)"
            " FROM thinnings t JOIN journals j ON j.id = t.journal ORDER BY j.device, t.id"
        ):
            if device in self._devices and self._wanted(run):
                yield {
                    "at": iso_utc(run), "device_id": self._devices[device], "journal_id": journal_id.hex(),
                    "branch": branch, "first_seq": first, "last_seq": last, "readings": readings,
                    "keep_days": keep_days, "simulated": bool(simulated),
                }  # fmt: skip

    def rollups(self, buckets: int) -> Iterator[dict[str, Any]]:
        """Roll-ups, `buckets` of five minutes in one row, oldest first within a wearable; a row is when it begins."""
        for device, journal_id, branch, binding, boot, bucket, site, simulated, *figures in read_rollups(
            self._tx, buckets
        ):
            if device not in self._devices:
                continue
            t_ms = bucket * buckets * BUCKET_MS
            moment = self._timebase(device).resolve(boot, t_ms)
            if not self._wanted(moment.utc_ms if moment else None):
                continue
            yield {
                "at": iso_utc(moment.utc_ms) if moment else None, "time_bound_ms": moment.bound_ms if moment else None,
                "device_id": self._devices[device], "journal_id": journal_id.hex(), "branch": branch, "boot": boot,
                "t_ms": t_ms, "every_ms": buckets * BUCKET_MS, "simulated": bool(simulated),
                "quarantined": binding is None, "site": units.SITES[site] if site < len(units.SITES) else None,
                **_figures(*figures),
            }  # fmt: skip

    def _restarts(self) -> Iterator[dict[str, Any]]:
        """Each start that followed another, and for how long nothing is stored because of it."""
        for shared, (kind, payload) in self._journal_rows("events", "t.type, t.payload"):
            start: Any = decode_event(kind, payload) if kind == record_layout.BOOT else None
            if start is None or not start.prev_boot:
                continue
            since = None
            if start.prev_last_ms is not None:
                since = self._timebase_of(shared["device_id"]).resolve(start.prev_boot, start.prev_last_ms)
            yield {
                **shared, "cause": start.cause, "cause_text": _CAUSES.get(start.cause, f"for reason {start.cause}"),
                "nothing_stored_from": iso_utc(since.utc_ms) if since else None, "lost_ms_max": start.lost_ms_max,
            }  # fmt: skip

    def _calibrations(self) -> Iterator[dict[str, Any]]:
        """Each calibration that a wearable began to measure with; starts with the one before it are left out."""
        last: dict[str, Told] = {}
        for shared, (kind, payload) in self._journal_rows("events", "t.type, t.payload"):
            told = told_by(kind, payload) if kind == record_layout.CALIBRATION else None
            if told is not None and last.get(shared["device_id"]) != told:
                last[shared["device_id"]] = told
                yield {**shared, **told.fields()}

    def _host_alarms(self) -> Iterator[dict[str, Any]]:
        for device, alarm, priority, detail, raised, ended, simulated in self._tx.execute(
            "SELECT h.device, h.alarm, h.priority, h.detail, h.raised_utc_ms, h.ended_utc_ms, coalesce(d.simulated, 0)"
            " FROM host_alarms h LEFT JOIN devices d ON d.id = h.device ORDER BY h.raised_utc_ms"
        ):
            if (device is None or device in self._devices) and self._wanted(raised):
                yield {
                    "at": iso_utc(raised), "device_id": self._devices.get(device), "simulated": bool(simulated),
                    "ended_at": iso_utc(ended) if ended else None, "detail": detail, **_alarm_fields(alarm, priority),
                }  # fmt: skip

    def _deliveries(self) -> Iterator[dict[str, Any]]:
        for target, key, priority, state, attempts, error, created, delivered, simulated in self._tx.execute(
            "SELECT target, event_key, priority, state, attempts, last_error, created_utc_ms, delivered_utc_ms,"
            " simulated FROM outbox ORDER BY id"
        ):
            if self._wanted(created):
                yield {
                    "at": iso_utc(created), "target": target, "event_key": key, "state": state, "attempts": attempts,
                    "priority": codes.PRIORITY_NAMES[priority & 3], "last_error": error, "simulated": bool(simulated),
                    "delivered_at": iso_utc(delivered) if delivered else None,
                }  # fmt: skip

    def _of_patients(
        self, read: Callable[[sqlite3.Connection, int], Iterator[dict[str, Any]]]
    ) -> Iterator[dict[str, Any]]:
        """Rows that hang on a binding, with whom they are about."""
        for binding, device, patient in self._tx.execute(
            "SELECT b.id, b.device, p.pseudonym FROM bindings b LEFT JOIN patients p ON p.id = b.patient ORDER BY b.id"
        ).fetchall():
            if device not in self._devices:
                continue
            for row in read(self._tx, binding):
                if self._wanted(utc_ms_of_iso(row["at"])):
                    at, rest = row["at"], {key: value for key, value in row.items() if key != "at"}
                    yield {"at": at, "device_id": self._devices[device], "patient": patient, **rest}

    def _context(self) -> Iterator[dict[str, Any]]:
        yield from self._of_patients(entry_rows)

    def _signed(self) -> Iterator[dict[str, Any]]:
        yield from self._of_patients(signed_rows)

    def _wanted(self, utc_ms: int | None) -> bool:
        from_ms, to_ms, _ = self._question
        if utc_ms is None:
            self.undated += from_ms is not None or to_ms is not None
            return from_ms is None and to_ms is None
        return (from_ms is None or utc_ms >= from_ms) and (to_ms is None or utc_ms < to_ms)

    def _timebase(self, device: int) -> Timebase:
        if device not in self._timebases:
            self._timebases[device] = load_timebase(self._tx, device)
        return self._timebases[device]

    def _timebase_of(self, device_id: str) -> Timebase:
        return self._timebase(next(row for row, hex_id in self._devices.items() if hex_id == device_id))


def history_line(kind: str, row: dict[str, Any]) -> str:
    """One row for people."""
    return _LINES[kind](row)


def _alarm_line(row: dict[str, Any]) -> str:
    if row["priority"] == "NONE":
        return f"{row['name']} no longer raised"
    return f"{row['priority']} {row['name']}: {row['text']}"


def _event_line(row: dict[str, Any]) -> str:
    if row["fields"] is None:
        return f"{row['name']} not understood by this version, {len(row['payload']) // 2} bytes kept"
    told = [f"{key}={_short(value)}" for key, value in row["fields"].items() if value not in ("", None, ())]
    return f"{row['name']} {', '.join(told)}"


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"


def _restart_line(row: dict[str, Any]) -> str:
    since = local_of_iso(row["nothing_stored_from"])
    return (
        f"wearable restarted {row['cause_text']}: nothing is stored from {since} on; "
        f"up to {span_text(row['lost_ms_max'] / 1000)} of that was measured and lost"
    )


def _delivery_line(row: dict[str, Any]) -> str:
    error = f" ({row['last_error']})" if row["last_error"] else ""
    return f"to {row['target']}: {row['event_key']} {row['state']}{error}"


def _reading_line(row: dict[str, Any]) -> str:
    temperature = temperature_at_text(row["temp_cc"], row["site"], row["temp_state"])
    saturation = saturation_text(row["spo2_tenths"], row["ppg_state"])
    return f"{temperature}, SpO2 {saturation}, heart rate {heart_rate_text(row['hr_bpm'])}"


_LINES: dict[str, Callable[[dict[str, Any]], str]] = {
    "readings": _reading_line,
    "grades": lambda row: str(row["text"]),
    "alarms": _alarm_line,
    "events": _event_line,
    "gaps": lambda row: f"sequences {row['first_seq']} to {row['last_seq']}: {row['text']}",
    "thinned": lambda row: (
        f"{row['readings']} single readings removed, sequences {row['first_seq']} to {row['last_seq']},"
        f" {row['keep_days']} days after the patient's end; roll-ups and blocks are kept"
    ),
    "restarts": _restart_line,
    "calibrations": lambda row: f"measured from here on: {row['words']}",
    "host_alarms": lambda row: f"{_alarm_line(row)} ({row['detail']})",
    "deliveries": _delivery_line,
    "context": lambda row: f"entered about {row['patient']}: {entry_line(row)}",
    "signed": lambda row: f"signed about {row['patient']}: {row['text']} Entry {row['entry'][:8]}",
}


def _figures(n: int, *rest: int | None) -> dict[str, Any]:
    """The values of one roll-up; without a valid value minimum, mean and maximum are None, never 0."""
    fields: dict[str, Any] = {"n": n}
    for at, (name, unit) in enumerate((("temp", "cc"), ("spo2", "tenths"), ("hr", "bpm"))):
        valid, total, low, high = rest[at * 4 : at * 4 + 4]
        mean = (2 * total + valid) // (2 * valid) if valid and total is not None else None
        fields |= {
            f"{name}_n": valid, f"{name}_min_{unit}": low, f"{name}_mean_{unit}": mean, f"{name}_max_{unit}": high,
        }  # fmt: skip
    return fields


def _alarm_fields(alarm: int, priority: int) -> dict[str, Any]:
    name = code_texts.alarm_name(alarm)
    return {
        "alarm": alarm, "name": name, "priority": codes.PRIORITY_NAMES[priority & 3],
        "text": code_texts.ALARM_TEXTS.get(alarm, name),
    }  # fmt: skip


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value
