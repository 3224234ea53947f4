"""Scenario of the whole mission: what `make demo LINK=ble` shows, with the laptop's own Bluetooth."""

import asyncio
import shutil
from pathlib import Path

from tools.demo import mission
from tools.demo.__main__ import SCENARIO, SCENARIO_SPEED
from tools.lab.bluez_lane.bluez_bedside import BluezBedside
from tools.rig.image import CUSTODIAN, build_image
from tools.rig.laptop import Laptop
from tools.rig.radio_bedside import RadioBedside
from tools.rig.wearable import Wearable


def unbound(image: Path) -> Path:
    """Where the image of a wearable without a patient stands beside `image`."""
    return image.with_suffix(".unbound.img")


def make_unbound(image: Path) -> None:
    """Make the image of a wearable without a patient beside `image`."""
    build_image(unbound(image), binding_id=None)


async def whole_mission(bedside: RadioBedside) -> str:
    """A patient is bound, a fever and a fall of the saturation are played; store and flash are compared at the end."""
    assert isinstance(bedside, BluezBedside)
    await bedside.kill_wearable()  # the same wearable, so one of the two only
    folder = bedside.folder / "mission"
    folder.mkdir()
    if bedside.image is None:
        await asyncio.to_thread(build_image, folder / "flash.img", binding_id=None)
    else:
        shutil.copyfile(unbound(bedside.image), folder / "flash.img")
    outcome = await asyncio.to_thread(
        lambda: mission.run(
            folder, {"scenario": SCENARIO}, SCENARIO_SPEED, _enrolled, link="ble", air=bedside.chip_path
        )
    )
    await bedside.start_wearable()
    assert "FEVER:MEDIUM" in outcome.line and "HYPOXAEMIA:HIGH" in outcome.line, outcome.line
    return f"{outcome.line}; {outcome.compared} records agree"


def _enrolled(_wearable: Wearable, laptop: Laptop) -> None:
    laptop.enrol(CUSTODIAN)
