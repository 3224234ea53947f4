"""Which radio the laptop takes for its wearable, among others that say the same. No time passes."""

import asyncio
import hashlib
from types import SimpleNamespace
from typing import Any

import pytest
from crs_core.wire import gatt_uuids as names
from crs_device.link.ble import advertising

from host_agent.errors import WearableNotHeard
from host_agent.link import ble_radio
from host_agent.link.advertised import Advertised, decode
from host_agent.link.ble import BleTransport
from host_agent.link.ble_choice import Addresses
from host_agent.link.ble_radio import Heard, Radio

DEVICE_ID, KEY = b"DEVICEID", bytes(range(32))
OWN = "C6:00:00:00:00:01"
MAC_ID = "5A3D9B2E-0000-4C1B-9F6B-000000000001"  # as macOS shows an address


def bytes_of(address: str) -> bytes:
    return bytes.fromhex(address.replace(":", ""))


def data_of(address: str = OWN, *keys: bytes) -> bytes:
    """The manufacturer data of today's wearable."""
    return advertising.advertisement(0, bytes_of(address), list(keys or (KEY,)))[7:]


OLD = bytes([1, 0]) + hashlib.sha256(DEVICE_ID).digest()[:4]


class Air:
    """A Radio whose scanner the test is: `say` is one advertisement. No time passes but the loop's own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.radio = Radio()

        async def switch() -> None:
            return

        monkeypatch.setattr(self.radio, "_switch", switch)
        monkeypatch.setattr(ble_radio, "CHOOSE_S", 0)

    def say(self, address: str, data: bytes) -> None:
        device = SimpleNamespace(address=address)
        self.radio._detected(device, SimpleNamespace(manufacturer_data={names.COMPANY: data}, rssi=-60))

    async def find(self, *said: tuple[str, bytes]) -> str:
        """Which of these, heard one after the other, is taken."""
        looking = asyncio.create_task(self.radio.find(DEVICE_ID, KEY, timeout_s=1))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for address, data in said:
            self.say(address, data)
        return (await looking).address


@pytest.fixture
async def air(monkeypatch: pytest.MonkeyPatch) -> Air:
    return Air(monkeypatch)


async def test_a_copy_sent_from_another_address_is_not_even_a_candidate(air: Air) -> None:
    data = data_of()
    copies = [(f"E0:00:00:00:00:{n:02X}", data) for n in range(200)]
    assert await air.find(*copies, (OWN.lower(), data)) == OWN.lower()
    assert not air.radio.addresses.rank(copies[0][0])[0]


async def test_without_the_wearable_its_copies_are_not_heard(air: Air) -> None:
    with pytest.raises(WearableNotHeard):
        await asyncio.wait_for(air.radio.find(DEVICE_ID, KEY, timeout_s=0.01), 1)
    looking = asyncio.create_task(air.radio.find(DEVICE_ID, KEY, timeout_s=0.01))
    await asyncio.sleep(0)
    air.say("E0:00:00:00:00:01", data_of())
    with pytest.raises(WearableNotHeard):
        await looking


async def test_others_wearables_garbage_and_every_length_are_nobody(air: Air) -> None:
    other = data_of(OWN, b"x" * 32)
    mine = data_of()
    said = [(OWN, other), *[(OWN, mine[:n]) for n in range(24)], (OWN, mine + b"\0"), (OWN, b"\3" + mine[1:])]
    for at in range(24):  # one bit changed
        said.append((OWN, mine[:at] + bytes([mine[at] ^ 1]) + mine[at + 1 :]))
    looking = asyncio.create_task(air.radio.find(DEVICE_ID, KEY, timeout_s=0.05))
    await asyncio.sleep(0)
    for address, data in said[:-12]:  # the last twelve are in the tags; three of them are the right one's
        air.say(address, data)
    with pytest.raises(WearableNotHeard):
        await looking


@pytest.mark.parametrize(("address", "data"), [(OWN, OLD), (MAC_ID, data_of())], ids=["yesterday", "macOS"])
async def test_where_a_copy_looks_the_same_the_address_that_proved_its_key_is_taken_first(
    air: Air, address: str, data: bytes
) -> None:
    air.radio.addresses.proved(address)
    assert await air.find(("E0:00:00:00:00:01", data), (address, data)) == address


@pytest.mark.parametrize(("address", "data"), [(OWN, OLD), (MAC_ID, data_of())], ids=["yesterday", "macOS"])
async def test_a_false_wearable_costs_one_try_and_one_that_is_new_each_time_costs_none(
    air: Air, address: str, data: bytes
) -> None:
    false = [address[:-2] + f"{n + 16:02X}" for n in range(50)]
    assert await air.find((false[0], data), (address, data)) == false[0]
    air.radio.addresses.tried_in_vain(false[0])
    for fresh in false[1:]:
        assert await air.find((false[0], data), (fresh, data), (address, data)) == address


@pytest.mark.parametrize(("address", "data"), [(OWN, OLD), (MAC_ID, data_of())], ids=["yesterday", "macOS"])
@pytest.mark.parametrize("copies", [1, 5])
async def test_new_false_wearables_each_time_keep_nobody_out_who_failed_some_times(
    air: Air, address: str, data: bytes, copies: int
) -> None:
    taken = []
    for at in range(30):
        fresh = [(f"{address[:-5]}{at:02X}:{n:02X}", data) for n in range(copies)]
        taken.append(await air.find(*fresh, (address, data)))
        air.radio.addresses.tried_in_vain(taken[-1])
    assert taken.count(address) >= 9


async def test_a_wearable_alone_is_tried_again_however_often_it_was_in_vain(air: Air) -> None:
    for _ in range(10):
        assert await air.find((OWN, OLD)) == OWN
        air.radio.addresses.tried_in_vain(OWN)


async def test_todays_wearable_is_taken_before_a_copy_of_its_former_self(air: Air) -> None:
    assert await air.find(("E0:00:00:00:00:01", OLD), (OWN, data_of())) == OWN


async def test_a_connection_that_ends_without_a_proof_is_remembered_and_one_with_it_too(air: Air) -> None:
    told: list[bool] = []
    transport = BleTransport("ble:x", on_proof=told.append)
    transport.close()
    transport.close()
    assert told == [False]
    transport = BleTransport("ble:x", on_proof=told.append)
    transport.proved()
    transport.close()
    assert told == [False, True]


def test_the_memory_of_addresses_is_bounded_and_keeps_what_it_knows() -> None:
    known = Addresses()
    known.heard("real", 0.0)
    known.tried_in_vain("real")
    for n in range(5000):
        known.heard(f"fake{n}", 1.0)
    assert known.rank("real")[0] == 1 and known.rank("fake4999") == (0, float("inf"))
    assert len(known._known) <= 256
    known.heard("late", 1000.0)
    assert known.rank("late") == (0, 1000.0), "who was not heard for a quarter of an hour makes room"


async def test_an_advertisement_is_resolved_once(air: Air, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    said = decode(data_of("C6:00:00:00:00:77", b"y" * 32))
    monkeypatch.setattr(names, "tag", lambda key, head: calls.append(head) or b"xxx")
    assert isinstance(said, Advertised)
    for _ in range(100):
        assert not Heard(None, OWN, said, None).is_of(DEVICE_ID, KEY)
    assert len(calls) == 1
