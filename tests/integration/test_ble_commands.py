"""`cytowatch scan` and `pair` as a person types them, on a simulated air."""

import json
import subprocess
from pathlib import Path

import pytest
from crs_core.wire import gatt_uuids as names

from tools.rig.air_bedside import PROFILES, AirBedside, is_caught_up
from tools.rig.image import CUSTODIAN, DEVICE_ID, READER
from tools.rig.sig_formats import LEVEL
from tools.rig.waiting import until_async


async def typed(bedside: AirBedside, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """One command of the bedside laptop, in a process of its own with a radio of its own."""
    return await bedside.laptop.cytowatch_by_radio(bedside.air.hci, *arguments)


async def agent_syncs(bedside: AirBedside) -> None:
    """Let the agent run until it has caught up."""
    async with bedside.agent() as agent:
        await until_async(lambda: is_caught_up(agent), 20, "sync")


@pytest.mark.parametrize("profile", PROFILES)
async def test_scan_names_what_is_enrolled_and_says_nothing_of_a_patient(
    tmp_path: Path, profile: str
) -> None:
    async with AirBedside.open(tmp_path, profile) as bedside:
        done = await typed(bedside, "scan", "--for", "2s", "--json")
        (one,) = json.loads(done.stdout)
        assert one.pop("address") != bedside.wearable.ble_address, "its own address stays unsaid"
        assert one == {
            "device_id": None, "rssi_dbm": -50, "simulated": True,
            "may_pair": False,
        }  # fmt: skip
        bedside.laptop.enrol(CUSTODIAN)
        done = await typed(bedside, "scan", "--for", "2s")
        assert DEVICE_ID.hex() in done.stdout and "SIMULATED" in done.stdout and "closed" in done.stdout
        await bedside.kill_wearable()
        done = await typed(bedside, "scan", "--for", "1s", "--json")
        assert done.returncode == 4 and json.loads(done.stdout) == [] and "Charge it" in done.stderr


async def test_pair_shows_the_number_that_lets_a_phone_in(tmp_path: Path) -> None:
    async with AirBedside.open(tmp_path, "nimble") as bedside:
        bedside.laptop.enrol(CUSTODIAN)
        done = await typed(bedside, "pair")
        assert done.returncode == 2 and "no session has shown it yet" in done.stderr
        await agent_syncs(bedside)
        await bedside.start_with_button()
        done = await typed(bedside, "scan", "--for", "2s", "--json")
        assert json.loads(done.stdout)[0]["may_pair"] is True
        done = await typed(bedside, "pair", "--json")
        number = json.loads(done.stdout)["passkey"]
        phone = await bedside.another_adapter(1)
        client = await bedside.connected(phone)
        await client.pair(passkey=int(number))
        assert len(await client.read_gatt_char(LEVEL)) == 1
        await client.disconnect()
        done = await typed(bedside, "scan", "--for", "2s", "--json")
        assert json.loads(done.stdout)[0]["may_pair"] is False, "one pairing closes the window"


async def test_pair_here_pairs_this_laptop_or_says_what_to_do(tmp_path: Path) -> None:
    async with AirBedside.open(tmp_path, "nimble") as bedside:
        bedside.laptop.enrol(CUSTODIAN)
        await agent_syncs(bedside)
        done = await typed(bedside, "pair", "--here")
        assert done.returncode == 1 and "Hold the wearable's button" in done.stderr
        await bedside.start_with_button()
        done = await typed(bedside, "pair", "--here", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["paired"] is True


async def test_a_reader_does_not_know_the_number(tmp_path: Path) -> None:
    async with AirBedside.open(tmp_path, "nimble") as bedside:
        bedside.laptop.enrol(READER)
        done = await typed(bedside, "pair")
        assert done.returncode == 2 and "only the custodian's" in done.stderr
        assert not any(
            str(names.passkey(CUSTODIAN.key, bytes(8))) in text for text in (done.stdout, done.stderr)
        )


async def test_without_a_wearable_to_pair_with_it_says_so(tmp_path: Path) -> None:
    async with AirBedside.open(tmp_path, "btstack") as bedside:
        bedside.laptop.enrol(CUSTODIAN)
        await agent_syncs(bedside)
        done = await typed(bedside, "pair", "--here")
        assert done.returncode == 1 and "pairing failed" in done.stderr
