"""What a reader would read of an event that nobody raised: for `cytowatch policy test`."""

from typing import Any

from crs_core import code_texts

from host_agent.escalation.words.reader import Reader
from host_agent.escalation.words.wording import worded
from host_agent.text import iso_utc, priority_name

_NUMBER = "…"  # the numbers are settings of each wearable
_LOWER = {1: 1, 2: 1, 3: 2}  # a grade that rises with this priority


def imagined_text(alarm: int, priority: int, reader: Reader, utc_ms: int) -> str:
    """The text of an alarm, 0: of a grade rise, about some patient and without values."""
    name = code_texts.alarm_name(alarm)
    event: dict[str, Any] = {
        "kind": "alarm" if alarm else "grade_rise", "priority": priority_name(priority), "values": None,
        "alarm": {"id": alarm, "name": name} if alarm else None, "stage": "raised",
        "grade": {"scale": "ASTCT-2019", "lower": _LOWER[priority], "upper": 4, "missing": [], "signed": False},
        "about": {"patient": "PATIENT", "wearable": "WEARABLE", "unit": "C"}, "device": {},
        "call": {"care_team": _NUMBER, "emergency": _NUMBER}, "occurred_at": iso_utc(utc_ms),
    }  # fmt: skip
    return str(worded(event, reader, utc_ms)["text"])
