"""The battery line of `status`: percent, hours when known, its age when it is old, no line when it was never heard."""

from typing import Any

import pytest

from host_agent.cli import status

NOW_MS = 1_800_000_000_000
HOUR_MS = 3_600_000
DEVICE: dict[str, Any] = {
    "device_id": "c0ffee", "name": "", "site": "axilla", "simulated": False, "patient": None, "newest_reading": None,
    "grade": None, "grades": {}, "signed": [], "context_waiting": 0, "alarms": [], "pause": None,
    "calibration": None,
}  # fmt: skip


def line(**battery: Any) -> str:
    """The line of the battery, "" when there is none."""
    values = {"percent": 62, "hours_left": 9, "charging": False, "heard_utc_ms": NOW_MS} | battery
    lines = status._device_lines(DEVICE | {"battery": values}, True, NOW_MS)
    return next((text for text in lines if text.startswith("  battery")), "")


@pytest.mark.parametrize(
    ("battery", "expected"),
    [
        ({}, "about 62 %, about 9 h left at this rate"),
        ({"hours_left": None}, "about 62 %, hours left not known yet"),
        ({"hours_left": 0, "percent": 4}, "about 4 %, less than an hour left at this rate"),
        ({"charging": True}, "about 62 %, charging"),
        ({"percent": None, "hours_left": None}, "not known, the wearable does not measure it"),
        ({"heard_utc_ms": NOW_MS - 3 * HOUR_MS}, "3 h ago: about 62 %, about 9 h left at this rate"),
    ],
)
def test_status_says_how_full_the_battery_is_and_how_old_that_is(
    battery: dict[str, Any], expected: str
) -> None:
    assert line(**battery) == f"  battery   {expected}"


def test_a_battery_that_was_never_heard_of_has_no_line() -> None:
    assert line(percent=None, heard_utc_ms=None) == ""
