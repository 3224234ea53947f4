"""The scenarios of tools/rig/radio_scenarios on the simulated air; `make test-bluez` runs the same on real BlueZ."""

from pathlib import Path

import pytest

from tools.rig import radio_scenarios
from tools.rig.air_bedside import PROFILES, AirBedside
from tools.rig.radio_scenarios import Scenario

CASES = [
    pytest.param(profile, scenario, id=f"{profile} {scenario.__name__}")
    for profile in PROFILES
    for scenario in (*radio_scenarios.LINK, *radio_scenarios.AGENT)
]
CASES += [  # a stock Pico 2 W cannot pair
    pytest.param("nimble", scenario, id=f"nimble {scenario.__name__}") for scenario in radio_scenarios.PAIRING
]
# one by the clock, as the BlueZ lane has all of them
CASES.append(
    pytest.param("nimble", radio_scenarios.LINK[-1], id="nimble, real time", marks=pytest.mark.real_time)
)


@pytest.mark.parametrize(("profile", "scenario"), CASES)
async def test_on_the_simulated_air(tmp_path: Path, profile: str, scenario: Scenario) -> None:
    async with AirBedside.open(tmp_path, profile) as bedside:
        print(await scenario(bedside))
