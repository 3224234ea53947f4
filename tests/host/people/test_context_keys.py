"""The key that a person meant, and what a key takes."""

import pytest

from host_agent.people.context_keys import context_keys, meant


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("temperature", "38.4", "temperature_cc=3840 site=oral"),
        ("temp", "3840", "temperature_cc=3840 site=oral"),
        ("temperature", "", "temperature_cc=VALUE site=oral"),
        ("temperature", "101.1", "temperature_cc=VALUE site=oral"),
        ("spo2", "96", "spo2_tenths=960"),
        ("oxigen", "room_air", "oxygen=room_air"),
        ("ice", "9", ""),
        ("death", "crs", ""),
        ("zzz", "1", ""),
        ("temperature", None, "temperature_cc"),
    ],
)
def test_a_wrong_key_leads_to_the_one_that_was_meant(key: str, text: str | None, expected: str) -> None:
    assert meant(key, text) == expected


def test_every_key_says_what_it_takes() -> None:
    takes = {one.key: one.takes for one in context_keys()}
    assert "death" not in takes
    assert takes["vasopressor_hours"] == "0 or more hours"
    assert takes["spo2_tenths"] == "500 to 1000 tenths of a percent, for example 970"
    assert takes["fever_earlier"] == "true, false"
