"""Who may stay, who may pair, and what a stranger gets: nothing."""

import asyncio
import hashlib
import time
from pathlib import Path

import pytest
from bleak import BleakClient
from bleak.exc import BleakError
from bumble.device import AdvertisingType
from crs_core.wire import gatt_uuids as names
from crs_core.wire import message as wire

from host_agent.errors import HostAgentError
from host_agent.sync.new_journal import bind
from tools.rig.air_bedside import PROFILES, AirBedside, is_caught_up
from tools.rig.image import CUSTODIAN, DEVICE_ID
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
                await bind(session, wire.BIND_END_OVERRIDE, b"PATIENT1")
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


async def pretend(bedside: AirBedside, number: int, manufacturer_data: bytes, connections: list[str]) -> None:
    """One more radio, with an address of its own, says this 50 times a second and takes connections."""
    device = (await bedside.another_adapter(number)).device
    device.on("connection", lambda connection: connections.append(str(connection.peer_address)))
    data = b"\x02\x01\x06" + bytes([len(manufacturer_data) + 3, 0xFF, 0xFF, 0xFF]) + manufacturer_data
    await device.start_advertising(
        AdvertisingType.UNDIRECTED_CONNECTABLE_SCANNABLE, auto_restart=True, advertising_data=data,
        advertising_interval_min=20, advertising_interval_max=20,
    )  # fmt: skip


@pytest.mark.parametrize("profile", PROFILES)
async def test_false_wearables_do_not_keep_the_laptop_from_its_own(tmp_path: Path, profile: str) -> None:
    async with AirBedside.open(tmp_path, profile) as bedside:
        said = (await bedside.radio.find(DEVICE_ID, CUSTODIAN.key)).said
        connections: list[str] = []
        await pretend(bedside, 1, said.head + b"".join(said.tags), connections)
        await pretend(bedside, 2, bytes([1, 0]) + hashlib.sha256(DEVICE_ID).digest()[:4], connections)
        async with bedside.agent() as agent:
            await until_async(lambda: is_caught_up(agent), 20, "in session")
        assert connections == [], "the laptop tried none of them"
