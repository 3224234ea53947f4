"""The scenarios of tools/rig/radio_scenarios on the simulated air; `make test-bluez` runs the same on real BlueZ."""

from pathlib import Path

import pytest

from tools.rig import radio_scenarios
from tools.rig.air_bedside import PROFILES, AirBedside
from tools.rig.radio_scenarios import Scenario

CASES = [
    (profile, scenario)
    for profile in PROFILES
    for scenario in (*radio_scenarios.LINK, *radio_scenarios.AGENT)
]
CASES += [("nimble", scenario) for scenario in radio_scenarios.PAIRING]  # a stock Pico 2 W cannot pair


@pytest.mark.parametrize(("profile", "scenario"), CASES, ids=[f"{p} {s.__name__}" for p, s in CASES])
async def test_on_the_simulated_air(tmp_path: Path, profile: str, scenario: Scenario) -> None:
    async with AirBedside.open(tmp_path, profile) as bedside:
        print(await scenario(bedside))
