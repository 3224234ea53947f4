"""One event of every kind and stage, as a template meets them. No patient is behind them."""

from typing import Any

_COMMON: dict[str, Any] = {
    "schema": "cytowatch.event/1",
    "notice": "Research prototype, not a medical device.",
    "simulated": False,
    "detail": "",
    "alarm": None,
    "grade": None,
    "values": None,
    "signed": None,
    "device": {"id": "00000000000000aa", "name": "JS-60"},
    "patient": {"id": "P-1", "binding_id": "00000000000000bb", "day": 3, "label": None},
    "call": {"care_team": "555-0100", "emergency": "112"},
    "source": {"journal_id": "0000cc", "branch": 0, "seq": 17, "boot": 2, "t_ms": 60_000},
    "occurred_at": "2026-03-31T03:07:00.000Z",
    "time_bound_ms": 5,
    "audit_head": {"rows": 4, "hash": "00"},
    "language": "en",
    "to_accept": "I look after it",
    "to_call": [
        {"label": "Care team 555-0100", "number": "555-0100"},
        {"label": "Emergency 112", "number": "112"},
    ],
    "about": {"patient": "JS-60", "wearable": 'Bed "3"', "unit": "C"},
    "facts": {},
    "made_at": "2026-03-31T03:07:00.000Z",
}
_NOBODY: dict[str, Any] = {
    "device": None, "patient": None, "call": {"care_team": None, "emergency": None}, "source": None,
    "occurred_at": None, "time_bound_ms": None, "audit_head": None,
}  # fmt: skip
_NUMBERS = "Care team 555-0100. Emergency 112."


def _event(kind: str, name: str, priority: str, text: str, **fields: Any) -> dict[str, Any]:
    return {
        **_COMMON,
        "key": f"example-{name}",
        "kind": kind,
        "name": name,
        "priority": priority,
        "text": text,
        "title": text.partition(".")[0] + ".",
        **fields,
    }


_SPO2 = {"id": 3, "name": "SPO2_LOW", "priority": "HIGH", "host": False}
_OXYGEN = f'URGENT 03:07, JS-60 (Bed "3"): oxygen 86 %. Look at the patient now. {_NUMBERS}'
EXAMPLES: tuple[dict[str, Any], ...] = (
    _event("alarm", "SPO2_LOW", "HIGH", _OXYGEN, alarm=_SPO2),
    *(_event("alarm", "SPO2_LOW", "HIGH", _OXYGEN, alarm=_SPO2, stage=stage)
      for stage in ("raised", "reminder", "accepted", "over")),
    _event("alarm", "DISK_FULL", "MEDIUM", "ALARM 03:07, this laptop: its disk is full.\nFree some space.",
           alarm={"id": 60, "name": "DISK_FULL", "priority": "MEDIUM", "host": True}, **_NOBODY),
    _event("grade_rise", "GRADE_RISE", "HIGH", f"URGENT 03:07, JS-60: CRS at least 1, could be up to 4. {_NUMBERS}",
           grade={"scale": "ASTCT-2019", "lower": 1, "upper": 4, "status": "provisional", "signed": False,
                  "fever": "met", "reasons": [{"code": 1, "text": "fever"}], "missing": ["bp"],
                  "temp_age_ms": 1000, "ppg_age_ms": None, "rule_hash": "00"}),
    _event("signed", "GRADE", "MEDIUM", f"ALARM 03:07, JS-60: nurse-1 signed grade 2. {_NUMBERS}", source=None),
    _event("act", "PATIENT_END", "HIGH", f"URGENT 03:07, JS-60: monitoring was ended. {_NUMBERS}", source=None),
    _event("test", "TEST", "LOW", "TEST 03:07, CytoWatch: this is a test.", stage="test", **_NOBODY),
)  # fmt: skip
