"""Who may stay, who may pair, and what a stranger gets: nothing."""

import asyncio
import time
from pathlib import Path

import pytest
from bleak import BleakClient
from bleak.exc import BleakError
from crs_core.wire import gatt_uuids as names

from host_agent.errors import HostAgentError
from tools.ble_air.bleak_backend import Adapter
from tools.rig.air_ward import PROFILES, AirWard, until
from tools.rig.image import CUSTODIAN

LEVEL = "00002a19-0000-1000-8000-00805f9b34fb"


async def the_passkey(ward: AirWard) -> int:
    session = await ward.session()
    number = names.passkey(CUSTODIAN.key, session.peer.journal_id)
    await ward.end(session)
    return number


async def connected(ward: AirWard, adapter: Adapter) -> BleakClient:
    client = BleakClient(await ward.find(adapter), backend=adapter.backends()[1])
    await client.connect()
    return client


async def test_without_the_gesture_the_right_passkey_does_not_pair(tmp_path: Path) -> None:
    async with AirWard.open(tmp_path, "nimble") as ward:
        number = await the_passkey(ward)
        phone = await ward.another_adapter(1)
        client = await connected(ward, phone)
        with pytest.raises(BleakError):
            await client.pair(passkey=number)
        await until(lambda: not client.is_connected, 5, "it is sent away")
        assert (await ward.status(await ward.session())).counters


async def test_the_wrong_passkey_is_refused_and_the_third_closes_the_window(tmp_path: Path) -> None:
    async with AirWard.open(tmp_path, "nimble") as ward:
        await ward.start_with_button()
        number = await the_passkey(ward)
        for try_number in range(3):
            phone = await ward.another_adapter(try_number + 1)
            client = await connected(ward, phone)
            with pytest.raises(BleakError):
                await client.pair(passkey=(number + 1) % 1_000_000)
            await until(lambda client=client: not client.is_connected, 5, "it is sent away")
        client = await connected(ward, await ward.another_adapter(9))
        with pytest.raises(BleakError):
            await client.pair(passkey=number)


async def test_two_wrong_tries_leave_a_third_for_the_right_one(tmp_path: Path) -> None:
    async with AirWard.open(tmp_path, "nimble") as ward:
        await ward.start_with_button()
        number = await the_passkey(ward)
        for try_number in range(2):
            client = await connected(ward, await ward.another_adapter(try_number + 1))
            with pytest.raises(BleakError):
                await client.pair(passkey=(number + 1) % 1_000_000)
            await until(lambda client=client: not client.is_connected, 5, "it is sent away")
        client = await connected(ward, await ward.another_adapter(9))
        await client.pair(passkey=number)
        assert len(await client.read_gatt_char(LEVEL)) == 1
        await client.disconnect()


async def test_just_works_gets_nothing_and_leaves_no_bond(tmp_path: Path) -> None:
    async with AirWard.open(tmp_path, "nimble") as ward:
        await ward.start_with_button()
        await the_passkey(ward)
        phone = await ward.another_adapter(1)
        client = await connected(ward, phone)
        with pytest.raises(BleakError):
            await client.pair()  # a central without keys: no passkey can be typed
            await client.read_gatt_char(LEVEL)
        await until(lambda: not client.is_connected, 5, "it is sent away")


async def test_a_bond_outlives_a_power_cut_and_a_new_binding_wipes_it(tmp_path: Path) -> None:
    async with AirWard.open(tmp_path, "nimble") as ward:
        await ward.start_with_button()
        number = await the_passkey(ward)
        phone = await ward.another_adapter(1)
        client = await connected(ward, phone)
        await client.pair(passkey=number)
        await asyncio.sleep(1.5)  # the bond is written within a second
        await client.disconnect()
        await ward.control(cmd="cut", off_ms=100)
        client = await connected(ward, phone)  # its stack encrypts with the bond by itself
        assert len(await client.read_gatt_char(LEVEL)) == 1
        await client.disconnect()

        session = await ward.session()
        from crs_core.wire import message as wire

        with pytest.raises(HostAgentError):  # the answer is followed by BYE: a new journal
            await session.bind(wire.BIND_END_OVERRIDE, b"PATIENT1")
            await session.next_message()
            while True:
                await session.next_message()
        await ward.end(session)
        client = BleakClient(await ward.find(phone), backend=phone.backends()[1])
        with pytest.raises(BleakError):
            await client.connect()
            await client.read_gatt_char(LEVEL)
        await client.disconnect()
        assert await the_passkey(ward) != number, "the next wearer's phone needs another number"


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_stranger_who_stays_is_dropped_and_comes_back_for_less(tmp_path: Path, profile: str) -> None:
    async with AirWard.open(tmp_path, profile) as ward:
        stranger = await ward.another_adapter(1)
        client = await connected(ward, stranger)
        since = time.monotonic()
        await until(lambda: not client.is_connected, 30, "dropped")
        assert 15 < time.monotonic() - since < 26
        client = await connected(ward, stranger)
        since = time.monotonic()
        await until(lambda: not client.is_connected, 15, "dropped again")
        assert time.monotonic() - since < 14
        session = await ward.session()
        assert (await ward.status(session)).head_seq > 0
        await ward.end(session)


async def test_strangers_on_every_place_do_not_keep_the_custodian_out(tmp_path: Path) -> None:
    async with AirWard.open(tmp_path, "nimble") as ward:
        strangers = [await ward.another_adapter(number) for number in range(1, 5)]
        for adapter in strangers:
            await connected(ward, adapter)
        session = await asyncio.wait_for(ward.session(), 10)
        await ward.end(session)


async def test_a_stranger_who_writes_garbage_learns_nothing(tmp_path: Path) -> None:
    async with AirWard.open(tmp_path, "nimble") as ward:
        client = await connected(ward, await ward.another_adapter(1))
        heard: list[bytes] = []
        for uuid in (names.OUT, names.DOORBELL):
            await client.start_notify(uuid, lambda _, data: heard.append(bytes(data)))
        for data in (b"\0", b"\xff" * 244, bytes(range(200)), b"\xc0" + b"CWS0" * 20, b"\x80"):
            await client.write_gatt_char(names.IN, data, response=True)
        with pytest.raises(BleakError):  # longer than the attribute
            await client.write_gatt_char(names.IN, bytes(600), response=True)
            raise BleakError("taken, but cut") from None
        await asyncio.sleep(3)
        assert heard == []
        await client.disconnect()
        session = await ward.session()
        assert (await ward.status(session)).boot == 1, "it did not restart"
        await ward.end(session)
