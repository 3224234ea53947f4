"""The values of an entry in words, as one reads them back to whoever entered them: `blood pressure 120/80 mmHg`."""

from collections.abc import Mapping
from typing import Any

from host_agent.text import percent_text, temperature_words

_NAMES = {
    "ice": "ICE score", "capd": "CAPD score", "motor_weakness": "new weakness of a limb",
    "antipyretic": "drug against fever or pain", "anticytokine": "drug against cytokines",
    "flow_lpm": "oxygen flow", "spo2_tenths": "SpO2", "systolic_mmhg": "systolic pressure",
    "diastolic_mmhg": "diastolic pressure", "map_mmhg": "mean pressure", "hr_bpm": "heart rate",
}  # fmt: skip
_UNITS = {
    "flow_lpm": " L/min", "systolic_mmhg": " mmHg", "diastolic_mmhg": " mmHg", "map_mmhg": " mmHg", "hr_bpm": "/min",
    "fio2_pct": " %", "vasopressor_hours": " h",
}  # fmt: skip


def entry_words(values: Mapping[str, Any]) -> str:
    """Every value with its unit; None reads `no longer known`. A key without words here stays as it is."""
    left = dict(values)
    said = []
    if isinstance(left.get("systolic_mmhg"), int) and isinstance(left.get("diastolic_mmhg"), int):
        said.append(f"blood pressure {left.pop('systolic_mmhg')}/{left.pop('diastolic_mmhg')} mmHg")
    if isinstance(left.get("temperature_cc"), int):
        site = left.pop("site", None)
        where = f", {site}" if site else ""
        said.append(f"temperature by hand {temperature_words(left.pop('temperature_cc'))}{where}")
    said += [f"{_NAMES.get(key, key.replace('_', ' '))} {_value(key, value)}" for key, value in left.items()]
    return "; ".join(said)


def _value(key: str, value: Any) -> str:
    if value is None:
        return "no longer known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if key == "spo2_tenths" and isinstance(value, int):
        return percent_text(value)
    if isinstance(value, list | tuple):
        return ", ".join(str(one).replace("_", " ") for one in value) or "none"
    return f"{value}".replace("_", " ") + _UNITS.get(key, "")
