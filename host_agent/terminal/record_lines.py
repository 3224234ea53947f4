"""Rows of views/records.py as lines for people."""

from collections.abc import Callable
from typing import Any

from host_agent.terminal.context_lines import entry_line
from host_agent.text import (
    heart_rate_text,
    local_of_iso,
    saturation_text,
    span_text,
    temperature_at_text,
)

_SHOWN_CHARS = 40  # states and inputs are long hex strings; --json and export have them whole


def history_line(kind: str, row: dict[str, Any]) -> str:
    """One row for people."""
    return _LINES[kind](row)


def _event_line(row: dict[str, Any]) -> str:
    if row["fields"] is None:
        return f"{row['name']} not understood by this version, {len(row['payload']) // 2} bytes kept"
    fields = [f"{key}={_short(value)}" for key, value in row["fields"].items() if value not in ("", None, ())]
    return f"{row['name']} {', '.join(fields)}"


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"


def _restart_line(row: dict[str, Any]) -> str:
    since = local_of_iso(row["nothing_stored_from"])
    return (
        f"wearable restarted {row['cause_text']}. Nothing is stored from {since} on; "
        f"up to {span_text(row['lost_ms_max'] / 1000)} of that was measured and lost"
    )


def _host_alarm_line(row: dict[str, Any]) -> str:
    """What the laptop raised, and until when: an end is told as such, never as good news."""
    ended = (
        f" No longer raised since {local_of_iso(row['ended_at'], with_date=True)}." if row["ended_at"] else ""
    )
    return f"{row['text']}{ended}"


def _delivery_line(row: dict[str, Any]) -> str:
    error = f" ({row['last_error']})" if row["last_error"] else ""
    return f"to {row['target']}: {row['event_key']} {row['state']}{error}"


_STATES = {"pending": "Not handed over yet", "refused": "Refused", "withheld": "Withheld"}


def _told_line(row: dict[str, Any]) -> str:
    contact = f" ({row['contact']})" if row.get("contact") else ""
    if row["handed_over_at"]:
        state = f"Handed over at {local_of_iso(row['handed_over_at'])}."
    else:
        why = f": {row['last_error'].rstrip('.')}" if row["last_error"] else ""
        state = f"{_STATES.get(row['state'], row['state'])}{why}."
    answer = ""
    if row["answered_by"]:
        over = ", with the code of this message" if row["answered_over_it"] else f", by {row['answered_how']}"
        answer = f" {row['answered_by']} accepted it at {local_of_iso(row['answered_at'])}{over}."
    return f"to {row['receiver']}{contact}: {row['text']} {state}{answer}"


def _reading_line(row: dict[str, Any]) -> str:
    temperature = temperature_at_text(row["temp_cc"], row["site"], row["temp_state"])
    saturation = saturation_text(row["spo2_tenths"], row["ppg_state"])
    return f"{temperature}, SpO2 {saturation}, heart rate {heart_rate_text(row['hr_bpm'])}"


def _acceptance_line(row: dict[str, Any]) -> str:
    whom = f" about {row['patient']}" if row["patient"] else ""
    done = "accepted" if row["what"] == "accepted" else "held back reminders of"
    until = local_of_iso(row["until"])
    after = f", after {row['after']} had" if row["after"] else ""
    ended = {
        "lapsed": " It lapsed.",
        "rise": " The alarm rose.",
        "over": " The alarm ended.",
        "renewed": " It was accepted anew.",
    }.get(row["ended_by"] or "")
    told = f" ({row['wearable_text']})" if row["wearable_text"] else ""
    note = f" Note: {row['note']}." if row["note"] else ""
    signed = "" if row["signed"] else ", not signed"
    return (
        f"{row['who']} {done} the {row['priority']} alarm{whom}: {row['noun']}, until {until}, by {row['how']}{signed}"
        f"{after}{told}.{note}{ended or ''}"
    )


_LINES: dict[str, Callable[[dict[str, Any]], str]] = {
    "readings": _reading_line,
    "grades": lambda row: str(row["text"]),
    "alarms": lambda row: str(row["text"]),
    "events": _event_line,
    "gaps": lambda row: f"sequences {row['first_seq']} to {row['last_seq']}: {row['text']}",
    "thinned": lambda row: (
        f"{row['readings']} single readings removed, sequences {row['first_seq']} to {row['last_seq']},"
        f" {row['keep_days']} days after the patient's binding ended. Roll-ups and blocks are kept"
    ),
    "restarts": _restart_line,
    "calibrations": lambda row: f"measured from here on: {row['words']}",
    "host_alarms": _host_alarm_line,
    "deliveries": _delivery_line,
    "told": _told_line,
    "context": lambda row: f"entered about {row['patient']}: {entry_line(row)}",
    "acceptances": _acceptance_line,
    "acts": lambda row: str(row["text"]),
    "bindings": lambda row: str(row["text"]),
    "signed": lambda row: f"signed about {row['patient']}: {row['text']} Entry {row['entry'][:8]}",
}
