"""Folders like /sys/class/power_supply of laptops that exist, and of some that are odd."""

import pytest

from host_agent.platform.power_supply import Power, read_power

AC0, AC1 = {"type": "Mains", "online": "0"}, {"type": "Mains", "online": "1"}


def battery(status="Discharging", **more):
    return {"type": "Battery", "status": status, **more}


CASES = {
    "a desktop": ({"AC": AC1}, Power(None)),
    "no folder entries": ({}, Power(None)),
    "plugged in": ({"AC": AC1, "BAT0": battery("Charging", capacity="55")}, Power(False, 55)),
    "full": ({"AC": AC1, "BAT0": battery("Full", capacity="100")}, Power(False, 100)),
    "held at eighty percent": ({"AC": AC1, "BAT0": battery("Not charging", capacity="80")}, Power(False, 80)),
    "unplugged": ({"AC": AC0, "BAT0": battery(capacity="55")}, Power(True, 55)),
    "unplugged, and the battery says nothing": ({"AC": AC0, "BAT0": battery("Unknown")}, Power(True, None)),
    "a charger that is too weak": ({"AC": AC1, "BAT0": battery(capacity="40")}, Power(True, 40)),
    "no line for the plug": ({"BAT0": battery(capacity="40")}, Power(True, 40)),
    "no line for the plug, charging": ({"BAT0": battery("Charging", capacity="40")}, Power(False, 40)),
    "no line for the plug, nothing known": ({"BAT0": battery("Unknown", capacity="40")}, Power(None)),
    "one of two plugs": (
        {"AC": AC0, "USB": {"type": "USB", "online": "1"}, "B": battery("Charging", capacity="9")}, Power(False, 9)
    ),
    "a mouse": ({"AC": AC1, "mouse": battery(scope="Device", capacity="3")}, Power(None)),
    "an empty bay": ({"AC": AC1, "BAT1": battery("Unknown", present="0", capacity="0")}, Power(None)),
    "two batteries, one empty": (
        {"AC": AC0, "BAT0": battery(capacity="4", energy_now="1000000", energy_full="25000000", power_now="0"),
         "BAT1": battery(capacity="96", energy_now="24000000", energy_full="25000000", power_now="10000000")},
        Power(True, 50, 150),
    ),
    "two batteries without sizes": (
        {"AC": AC0, "A": battery(capacity="4"), "B": battery(capacity="60")}, Power(True, 60)
    ),
    "amperes, negative while it runs out": (
        {"AC": AC0, "BAT0": battery(charge_now="2000000", charge_full="4000000", current_now="-1000000")},
        Power(True, 50, 120),
    ),
    "words and no percentage": ({"AC": AC0, "BAT0": battery(capacity_level="Critical")}, Power(True, 5)),
    "more than full": ({"AC": AC0, "BAT0": battery(capacity="64000")}, Power(True, None)),
    "rubbish": ({"AC": AC0, "BAT0": battery(capacity="much", energy_now="x")}, Power(True, None)),
    "a USV": ({"ups": {"type": "UPS", "status": "Discharging", "capacity": "70"}}, Power(True, 70)),
    "full of nothing": ({"AC": AC0, "BAT0": battery(energy_now="0", energy_full="0", capacity="7")}, Power(True, 7)),
}  # fmt: skip


@pytest.mark.parametrize(("supplies", "expected"), CASES.values(), ids=CASES)
def test_what_the_kernel_says(tmp_path, supplies, expected):
    for name, files in supplies.items():
        (tmp_path / name).mkdir()
        for file, text in files.items():
            (tmp_path / name / file).write_text(f"{text}\n")
    assert read_power(tmp_path) == expected


def test_a_system_without_the_folder_says_nothing(tmp_path):
    assert read_power(tmp_path / "none") == Power(None)


def test_a_file_that_cannot_be_read_is_not_known(tmp_path):
    (tmp_path / "BAT0").mkdir()
    (tmp_path / "BAT0" / "type").write_text("Battery\n")
    (tmp_path / "BAT0" / "capacity").mkdir()
    (tmp_path / "BAT0" / "status").write_bytes(b"\xff\xfe")
    assert read_power(tmp_path) == Power(None)
