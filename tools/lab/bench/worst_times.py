"""The worst time from a true crossing to its alarm, in every measuring schedule: calculated, and measured.

The calculation adds the time until the signal shows a fall, the dark time and the first value after it, one hole in the
samples, the delay of the rule, and one step. The measurement runs the real drivers, chain and conditions on register
models on MicroPython, with a crossing about every 2 s.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from crs_core.grade.rules import DEFAULT, Rules
from crs_device.measuring import schedule

from tools.lab.bench.measuring import Row, words_of

ROOT = Path(__file__).resolve().parents[3]
PHASE_MS = 1900
SCHEDULES = ("continuous", "by_state")


class Condition(NamedTuple):
    """A condition whose delay is the rule `delay`; `text` describes it; `measured` is its name in the script."""

    delay: str
    text: str
    priority: str
    measured: str = ""


def conditions(numbers: Rules) -> tuple[Condition, ...]:
    """The conditions that a schedule could delay, under these rules."""
    return (
        Condition("spo2_fast_ms", f"SpO2 < {numbers.spo2_fast_tenths / 10:g} %", "HIGH", "spo2_fast"),
        Condition("spo2_slow_ms", f"SpO2 < {numbers.spo2_slow_tenths / 10:g} %", "HIGH", "spo2_slow"),
        Condition("spo2_medium_ms", f"SpO2 < {numbers.spo2_medium_tenths / 10:g} %", "MEDIUM", "spo2_medium"),
        Condition("pulse_lost_ms", "no pulse with the strap on", "HIGH"),
        Condition("hr_delay_ms", f"heart rate > {numbers.hr_high_bpm}/min with a second sign", "HIGH"),
    )


def worst_ms(condition: Condition, by_state: bool, numbers: Rules = DEFAULT) -> int:
    """Longest time from the true crossing to the alarm."""
    dark_ms = schedule.dark_ms(numbers) if by_state else 0
    dark_costs_ms = dark_ms + schedule.FIRST_VALUE_MS if dark_ms else 0
    delay_ms: int = getattr(numbers, condition.delay)
    return int(schedule.SEEN_MS + dark_costs_ms + schedule.GAP_MS + delay_ms + schedule.STEP_MS)


def allowed_ms(condition: Condition) -> int:
    """The stated limit for its priority."""
    return int(schedule.TOTAL_HIGH_MS if condition.priority == "HIGH" else schedule.TOTAL_MEDIUM_MS)


def measured_ms(phase_ms: int = PHASE_MS) -> dict[tuple[str, str], tuple[int, int]]:
    """(worst ms, crossings) of (schedule, condition), on MicroPython."""
    script = ROOT / "tools/rig/on_micropython/worst_times.py"
    lines = words_of(script, str(phase_ms), timeout_s=600)
    return {(where, name): (int(worst), int(count)) for _, where, name, worst, count in lines}


def rows() -> Iterator[Row]:
    """One row for each condition and schedule."""
    measured = measured_ms()
    for condition in conditions(DEFAULT):
        for measuring in SCHEDULES:
            worst, allowed = worst_ms(condition, measuring == "by_state"), allowed_ms(condition)
            figure = f"{worst / 1000:g} s at worst"
            within = worst <= allowed
            if condition.measured:
                seen_ms, crossings = measured[measuring, condition.measured]
                figure += f", {seen_ms / 1000:.1f} s measured over {crossings} crossings"
                within = within and seen_ms <= worst
            delay_s = getattr(DEFAULT, condition.delay) // 1000
            label = (
                f"crossing to {condition.priority}, measuring {measuring}, {condition.text} for {delay_s} s"
            )
            yield label, figure, f"<= {allowed // 1000} s", within
