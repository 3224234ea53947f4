"""Who may stay, who may pair, and what a stranger gets: nothing."""

import asyncio
import time
from pathlib import Path

import pytest
from bleak import BleakClient
from bleak.exc import BleakError
from crs_core.wire import gatt_uuids as names
from crs_core.wire import message as wire

from host_agent.errors import HostAgentError
from tools.rig.air_bedside import PROFILES, AirBedside
from tools.rig.sig_formats import LEVEL
from tools.rig.waiting import until_async


async def test_without_the_gesture_the_right_passkey_does_not_pair(tmp_path: Path) -> None:
    async with AirBedside.open(tmp_path, "nimble") as bedside:
        number = await bedside.passkey()
        phone = await bedside.another_adapter(1)
        client = await bedside.connected(phone)
        with pytest.raises(BleakError):
            await client.pair(passkey=number)
        await until_async(lambda: not client.is_connected, 5, "it is sent away")
        async with bedside.session() as session:
            assert (await bedside.status(session)).counters


async def tried_wrongly(bedside: AirBedside, tries: int) -> int:
    """Open the window and let so many phones type a wrong number; the right one."""
    await bedside.start_with_button()
    number = await bedside.passkey()
    for phone in range(1, tries + 1):
        client = await bedside.connected(await bedside.another_adapter(phone))
        with pytest.raises(BleakError):
            await client.pair(passkey=(number + 1) % 1_000_000)
        await until_async(lambda client=client: not client.is_connected, 5, "it is sent away")
    return number


async def test_the_wrong_passkey_is_refused_and_the_third_closes_the_window(tmp_path: Path) -> None:
    async with AirBedside.open(tmp_path, "nimble") as bedside:
        number = await tried_wrongly(bedside, 3)
        client = await bedside.connected(await bedside.another_adapter(9))
        with pytest.raises(BleakError):
            await client.pair(passkey=number)


async def test_two_wrong_tries_leave_a_third_for_the_right_one(tmp_path: Path) -> None:
    async with AirBedside.open(tmp_path, "nimble") as bedside:
        number = await tried_wrongly(bedside, 2)
        client = await bedside.connected(await bedside.another_adapter(9))
        await client.pair(passkey=number)
        assert len(await client.read_gatt_char(LEVEL)) == 1
        await client.disconnect()


async def test_just_works_gets_nothing_and_leaves_no_bond(tmp_path: Path) -> None:
    async with AirBedside.open(tmp_path, "nimble") as bedside:
        await bedside.start_with_button()
        await bedside.passkey()
        phone = await bedside.another_adapter(1)
        client = await bedside.connected(phone)
        with pytest.raises(BleakError):
            await client.pair()  # a central without keys: no passkey can be typed
            await client.read_gatt_char(LEVEL)
        await until_async(lambda: not client.is_connected, 5, "it is sent away")


async def test_a_new_binding_wipes_the_bond(tmp_path: Path) -> None:
    async with AirBedside.open(tmp_path, "nimble") as bedside:
        await bedside.start_with_button()
        number = await bedside.passkey()
        phone = await bedside.another_adapter(1)
        client = await bedside.connected(phone)
        await client.pair(passkey=number)
        await asyncio.sleep(1.5)  # the bond is written within a second
        await client.disconnect()
        with pytest.raises(HostAgentError):  # the answer is followed by BYE: a new journal
            async with bedside.session() as session:
                await session.bind(wire.BIND_END_OVERRIDE, b"PATIENT1")
                while True:
                    await session.next_message()
        client = BleakClient(await bedside.find(phone), backend=phone.backends()[1])
        with pytest.raises(BleakError):
            await client.connect()
            await client.read_gatt_char(LEVEL)
        await client.disconnect()
        assert await bedside.passkey() != number, "the next wearer's phone needs another number"


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_stranger_who_stays_is_dropped_and_comes_back_for_less(tmp_path: Path, profile: str) -> None:
    async with AirBedside.open(tmp_path, profile) as bedside:
        stranger = await bedside.another_adapter(1)
        client = await bedside.connected(stranger)
        since = time.monotonic()
        await until_async(lambda: not client.is_connected, 30, "dropped")
        assert 15 < time.monotonic() - since < 26
        client = await bedside.connected(stranger)
        since = time.monotonic()
        await until_async(lambda: not client.is_connected, 15, "dropped again")
        assert time.monotonic() - since < 14
        async with bedside.session() as session:
            assert (await bedside.status(session)).head_seq > 0


async def test_strangers_on_every_place_do_not_keep_the_custodian_out(tmp_path: Path) -> None:
    async with AirBedside.open(tmp_path, "nimble") as bedside:
        strangers = [await bedside.another_adapter(number) for number in range(1, 5)]
        for adapter in strangers:
            await bedside.connected(adapter)
        async with asyncio.timeout(10), bedside.session():
            pass


async def test_a_stranger_who_writes_garbage_learns_nothing(tmp_path: Path) -> None:
    async with AirBedside.open(tmp_path, "nimble") as bedside:
        client = await bedside.connected(await bedside.another_adapter(1))
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
        async with bedside.session() as session:
            assert (await bedside.status(session)).boot == 1, "it did not restart"
