"""A wearable that an earlier version left is synced into the store of that version, and goes on with its journal.

Its flash, key and store are in tests/vectors/made_before, all simulated. Once its own application runs, once today's.
"""

import gzip
import shutil
from pathlib import Path

import pytest

from host_agent.store.db import integrity_problems
from tools.rig.image import build_image, read_image
from tools.rig.journal_check import compare
from tools.rig.laptop import Laptop
from tools.rig.micropython import ROOT
from tools.rig.waiting import until
from tools.rig.wearable import Wearable

BEFORE = ROOT / "tests/vectors/made_before"
DEVICE = "1419e0347395cd99"
SPEED = 60


def flash_before(path: Path) -> Path:
    """The flash image as that version left it."""
    path.write_bytes(gzip.decompress((BEFORE / "flash.img.gz").read_bytes()))
    return path


def with_todays_application(path: Path) -> Path:
    """An image with today's application, and the journal, keys and settings of that flash."""
    old = read_image(flash_before(path))
    kept = {}
    for folder, _, names in old.walk("/"):
        for name in names:
            file = f"{folder.rstrip('/')}/{name}"
            if file.startswith(("/journal", "/keys", "/settings")):
                with old.open(file, "rb") as content:
                    kept[file] = content.read()
    assert any(file.startswith("/settings") for file in kept) and any(
        file.startswith("/keys") for file in kept
    )
    return build_image(path, settings=None, keys=(), journal=False, extra=kept)


def laptop_before(folder: Path) -> Laptop:
    """The laptop's folder of that version, with a receiver that nobody runs left out."""
    laptop = Laptop(folder)
    shutil.copy(BEFORE / f"{DEVICE}.key", laptop.paths.keys)
    (laptop.paths.keys / f"{DEVICE}.key").chmod(0o600)
    laptop.database.write_bytes(gzip.decompress((BEFORE / "store.backup.gz").read_bytes()))
    return laptop


@pytest.mark.parametrize("image", [flash_before, with_todays_application], ids=["its own", "today's"])
def test_a_wearable_of_an_earlier_version_goes_on_under_its_store(tmp_path: Path, image) -> None:
    image(tmp_path / "flash.img")
    laptop = laptop_before(tmp_path / "bedside")
    before, cursor = laptop.totals(), laptop.cursor()
    with Wearable(tmp_path, speed=SPEED) as wearable:
        try:
            laptop.start(str(wearable.link), SPEED)
            until(
                lambda: laptop.caught_up() and laptop.readings() >= before.readings + 5 and laptop.cursor() > cursor,
                60, "new readings of the old wearable",
            )  # fmt: skip
        finally:
            laptop.stop()
    after = laptop.totals()
    assert (after.gaps, after.forks, after.disagreements) == (0, 0, 0)
    assert laptop.cursor() > 131, "the journal of that version went on, after the records that it held"
    assert compare(wearable.image, laptop.database) >= cursor
    assert laptop.read(integrity_problems) == []
    told = laptop.cytowatch("verify").stdout
    assert "2 journals, " in told and "0 gaps: 0 problems." in told, "no journal was begun anew"
