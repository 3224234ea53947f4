"""A wearable and a laptop of an earlier version (tests/vectors/made_before) go on with the present one."""

import gzip
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from crs_core import codes

from host_agent.keys import keyfile
from host_agent.link import ble
from host_agent.store.db import Tx
from host_agent.sync.client import DeviceClient
from tools.rig.air_bedside import AirBedside
from tools.rig.image import build_image, read_image
from tools.rig.journal_check import compare
from tools.rig.laptop import Laptop
from tools.rig.micropython import ROOT
from tools.rig.stored import bound_readings, journal_ids
from tools.rig.waiting import until
from tools.rig.wearable import Wearable

BEFORE = ROOT / "tests/vectors/made_before"
KEY = "1419e0347395cd99.key"
STORED = 131  # the newest record that the old store holds


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    """The laptop as that version left it."""
    laptop = Laptop(tmp_path / "bedside")
    (laptop.home / "keys").mkdir(mode=0o700, exist_ok=True)
    shutil.copy(BEFORE / KEY, laptop.home / "keys" / KEY)
    (laptop.home / "keys" / KEY).chmod(0o600)
    (laptop.home / "cytowatch.db").write_bytes(gzip.decompress((BEFORE / "store.backup.gz").read_bytes()))
    yield laptop
    laptop.stop()


def old_image(path: Path) -> Path:
    """The flash of that version's wearable, its application inside."""
    path.write_bytes(gzip.decompress((BEFORE / "flash.img.gz").read_bytes()))
    return path


def updated_image(path: Path) -> Path:
    """The same flash with the present application: journal, keys and settings are the old ones."""
    files = read_image(old_image(path))
    kept = {
        f"{folder}/{name}": files.open(f"{folder}/{name}", "rb").read()
        for folder, _, names in files.walk("/")
        for name in names
        if not name.endswith((".app", ".py")) and name not in ("slot", "starts")
    }
    kept = {path.replace("//", "/"): content for path, content in kept.items()}
    return build_image(path, settings=None, keys=(), journal=False, extra=kept)


def alarms(tx: Tx) -> set[int]:
    """Findings of the host about forks and journals."""
    rows = tx.execute("SELECT alarm FROM host_alarms").fetchall()
    return {row[0] for row in rows} & {codes.FORK, codes.JOURNAL_REPLACED, codes.RECHECK_DISAGREES}


@pytest.mark.parametrize("image", [old_image, updated_image])
def test_an_earlier_version_s_wearable_syncs_on_under_its_old_store(
    tmp_path: Path, laptop: Laptop, image
) -> None:
    image(tmp_path / "flash.img")
    before = len(laptop.read(bound_readings) or [])
    with Wearable(tmp_path, speed=15) as wearable:
        laptop.start(str(wearable.link), 15)
        until(lambda: laptop.caught_up() and laptop.cursor() > STORED + 5, 60, "records after the old ones")
    assert len(laptop.read(bound_readings) or []) > before
    assert len(laptop.read(journal_ids) or []) == 2, "the old journal goes on"
    assert laptop.read(alarms) == set()
    assert compare(wearable.image, laptop.database) > STORED, (
        "the store says what the flash says, byte for byte"
    )
    assert "0 gaps: 0 problems." in laptop.cytowatch("verify").stdout


async def test_an_earlier_version_s_wearable_is_found_by_radio(tmp_path: Path, laptop: Laptop) -> None:
    old_image(tmp_path / "flash.img")
    keys, _ = keyfile.load_all(laptop.paths.keys)
    (key,) = keys.values()
    (tmp_path / "air").mkdir()
    async with AirBedside.open(tmp_path / "air", "nimble", image=tmp_path / "flash.img") as bedside:
        heard = await bedside.radio.find(key.device_id, key.key)
        assert heard.said.version == 1 and heard.address == bedside.wearable.ble_address
        transport = await ble.connect(bedside.radio, heard, "ble:old")
        client = DeviceClient(transport, [key])
        assert (await client.open()).device_id == key.device_id
        await client.close()
