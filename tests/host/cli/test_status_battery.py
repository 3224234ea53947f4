"""The battery line of `status`: percent, hours when known, its age when it is old, no line when it was never heard."""

from typing import Any

import pytest

from host_agent.views.device_state import Battery, Facts, device_state

NOW_MS = 1_800_000_000_000


def line(**battery: Any) -> str:
    """What the screen says of the battery, "" when it says nothing."""
    values = {"percent": 62, "hours_left": 9, "charging": False} | battery
    age_s = values.pop("age_s", 0.0)
    heard = None if age_s is None else Battery(values, age_s)
    return device_state(Facts(NOW_MS, link="open", battery=heard)).battery


@pytest.mark.parametrize(
    ("battery", "expected"),
    [
        ({}, "about 62 %, about 9 h left at this rate"),
        ({"hours_left": None}, "about 62 %, hours left not known yet"),
        ({"hours_left": 0, "percent": 4}, "about 4 %, less than an hour left at this rate"),
        ({"charging": True}, "about 62 %, charging"),
        ({"percent": None, "hours_left": None}, "not known, the wearable does not measure it"),
        ({"age_s": 10800.0}, "3 h ago: about 62 %, about 9 h left at this rate"),
    ],
)
def test_status_says_how_full_the_battery_is_and_how_old_that_is(
    battery: dict[str, Any], expected: str
) -> None:
    assert line(**battery) == expected


def test_a_battery_that_was_never_heard_of_has_no_line() -> None:
    assert line(percent=None, age_s=None) == ""
