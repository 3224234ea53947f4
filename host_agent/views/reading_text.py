"""The newest reading as one sentence, the same on every screen and page."""

from typing import Any

from host_agent.text import heart_rate_text, marked, saturation_text, span_text, temperature_at_text


def reading_text(reading: dict[str, Any] | None) -> str:
    """`reading` is of `views.state`; None: nothing was ever measured."""
    if reading is None:
        return "no reading yet"
    age_s = reading["age_s"]
    age = "at a time not known" if age_s is None else f"{span_text(age_s)} ago"
    return marked(
        reading["simulated"],
        f"{age}: {temperature_at_text(reading['temp_cc'], reading['site'], reading['temp_state'])},"
        f" SpO2 {saturation_text(reading['spo2_tenths'], reading['ppg_state'])},"
        f" heart rate {heart_rate_text(reading['hr_bpm'])}",
    )
