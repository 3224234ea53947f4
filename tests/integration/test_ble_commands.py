"""`cytowatch scan` and `pair` as a person types them, on a simulated air."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from crs_core.wire import gatt_uuids as names

from host_agent.keys import keyfile
from host_agent.paths import Paths
from tools.rig.air_ward import PROFILES, AirWard, device_key, until
from tools.rig.image import CUSTODIAN, DEVICE_ID, READER
from tools.rig.micropython import ROOT

LEVEL = "00002a19-0000-1000-8000-00805f9b34fb"


async def typed(ward: AirWard, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """One command of the bedside laptop, in a process of its own with a radio of its own."""
    home = ward.folder / "bedside"
    command = [sys.executable, "-m", "tools.ble_air.run_cytowatch", ward.air.hci, *arguments]
    environment = {**os.environ, "CYTOWATCH_HOME": str(home), "PYTHONPATH": str(ROOT)}
    return await asyncio.to_thread(
        lambda: subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )
    )


def enrol(ward: AirWard, key=CUSTODIAN) -> None:
    keyfile.save(Paths(ward.folder / "bedside").ensure().keys, device_key(key))


@pytest.mark.parametrize("profile", PROFILES)
async def test_scan_names_what_is_enrolled_and_says_nothing_of_a_patient(
    tmp_path: Path, profile: str
) -> None:
    async with AirWard.open(tmp_path, profile) as ward:
        done = await typed(ward, "scan", "--for", "2s", "--json")
        (one,) = json.loads(done.stdout)
        assert one == {
            "address": ward.wearable.ble_address, "device_id": None, "rssi_dbm": -50, "simulated": True,
            "may_pair": False,
        }  # fmt: skip
        enrol(ward)
        done = await typed(ward, "scan", "--for", "2s")
        assert DEVICE_ID.hex() in done.stdout and "SIMULATED" in done.stdout and "closed" in done.stdout
        await asyncio.to_thread(ward.wearable.kill)
        done = await typed(ward, "scan", "--for", "1s", "--json")
        assert done.returncode == 4 and json.loads(done.stdout) == [] and "charged" in done.stderr


async def test_pair_shows_the_number_that_lets_a_phone_in(tmp_path: Path) -> None:
    async with AirWard.open(tmp_path, "nimble") as ward:
        enrol(ward)
        done = await typed(ward, "pair")
        assert done.returncode == 2 and "no session has shown it yet" in done.stderr
        async with ward.agent() as agent:
            await until(lambda: agent.monitor.view(DEVICE_ID).is_caught_up, 20, "sync")
        await ward.start_with_button()
        done = await typed(ward, "scan", "--for", "2s", "--json")
        assert json.loads(done.stdout)[0]["may_pair"] is True
        done = await typed(ward, "pair", "--json")
        number = json.loads(done.stdout)["passkey"]
        phone = await ward.another_adapter(1)
        from bleak import BleakClient

        async with BleakClient(await ward.find(phone), backend=phone.backends()[1]) as client:
            await client.pair(passkey=int(number))
            assert len(await client.read_gatt_char(LEVEL)) == 1
        done = await typed(ward, "scan", "--for", "2s", "--json")
        assert json.loads(done.stdout)[0]["may_pair"] is False, "one pairing closes the window"


async def test_pair_here_pairs_this_laptop_or_says_what_to_do(tmp_path: Path) -> None:
    async with AirWard.open(tmp_path, "nimble") as ward:
        enrol(ward)
        async with ward.agent() as agent:
            await until(lambda: agent.monitor.view(DEVICE_ID).is_caught_up, 20, "sync")
        done = await typed(ward, "pair", "--here")
        assert done.returncode == 1 and "Hold the wearable's button" in done.stderr
        await ward.start_with_button()
        done = await typed(ward, "pair", "--here", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["paired"] is True


async def test_a_reader_does_not_know_the_number(tmp_path: Path) -> None:
    async with AirWard.open(tmp_path, "nimble") as ward:
        enrol(ward, READER)
        done = await typed(ward, "pair")
        assert done.returncode == 2 and "only the custodian's" in done.stderr
        assert not any(
            str(names.passkey(CUSTODIAN.key, bytes(8))) in text for text in (done.stdout, done.stderr)
        )


async def test_without_a_wearable_to_pair_with_it_says_so(tmp_path: Path) -> None:
    async with AirWard.open(tmp_path, "btstack") as ward:
        enrol(ward)
        async with ward.agent() as agent:
            await until(lambda: agent.monitor.view(DEVICE_ID).is_caught_up, 20, "sync")
        done = await typed(ward, "pair", "--here")
        assert done.returncode == 1 and "pairing failed" in done.stderr
