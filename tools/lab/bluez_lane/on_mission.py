"""Scenario of the whole mission: what `make demo LINK=ble` shows, with the laptop's own Bluetooth."""

import asyncio
import shutil
from pathlib import Path

from host_agent.keys import keyfile
from host_agent.paths import Paths
from tools.demo import mission
from tools.demo.__main__ import SCENARIO, SCENARIO_SPEED
from tools.lab.bluez_lane.bed import Bed
from tools.lab.bluez_lane.laptop import KEY
from tools.rig.bedside import Bedside
from tools.rig.image import build_image
from tools.rig.wearable import VirtualWearable


def unbound(image: Path) -> Path:
    """Where the image of a wearable without a patient stands beside `image`."""
    return image.with_suffix(".unbound.img")


def make_unbound(image: Path) -> None:
    """Make that image."""
    build_image(unbound(image), binding_id=None)


async def whole_mission(bed: Bed) -> str:
    """A patient is bound, a fever and a fall of the saturation are played; store and flash are compared at the end."""
    await asyncio.to_thread(bed.wearable.kill)  # the same wearable, so one of the two only
    folder = bed.folder / "mission"
    folder.mkdir()
    if bed.image is None:
        await asyncio.to_thread(build_image, folder / "flash.img", binding_id=None)
    else:
        shutil.copyfile(unbound(bed.image), folder / "flash.img")
    source = ["--scenario", str(SCENARIO)]
    outcome = await asyncio.to_thread(
        lambda: mission.run(folder, source, SCENARIO_SPEED, _enrolled, link="ble", air=bed.chip_path)
    )
    await asyncio.to_thread(bed.wearable.start)
    assert "FEVER:MEDIUM" in outcome.line and "HYPOXAEMIA:HIGH" in outcome.line, outcome.line
    return f"{outcome.line}; {outcome.compared} records agree"


def _enrolled(_wearable: VirtualWearable, bedside: Bedside) -> None:
    keyfile.save(Paths(bedside.home).ensure().keys, KEY)
