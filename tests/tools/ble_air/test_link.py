"""The air itself: what a scanner hears, who gets a connection, what harm does. Two radios of one process."""

import asyncio

import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import BleakDeviceNotFoundError, BleakError
from bumble import hci
from bumble.device import AdvertisingType, Device
from bumble.gatt import Characteristic, Service
from bumble.host import Host

from tools.ble_air.bleak_backend import Adapter
from tools.ble_air.controller import AirController
from tools.ble_air.link import AirLink, NotificationHarm, Pace

NAME_IN_RESPONSE = b"\x05\x09ring"
FLAGS = b"\x02\x01\x06"
VALUE = "6acd5f32-7c4c-436c-a191-3aa35a771ced"


async def peripheral(link: AirLink, kind=AdvertisingType.UNDIRECTED_CONNECTABLE_SCANNABLE) -> Device:
    device = Device(name="ring", address=hci.Address("C0:00:00:00:00:09"))
    device.host = Host()
    device.host.controller = AirController("ring", link)
    value = Characteristic(
        VALUE,
        Characteristic.Properties.READ | Characteristic.Properties.NOTIFY,
        Characteristic.READABLE,
        b"hello",
    )
    device.add_service(Service("6acd5f30-7c4c-436c-a191-3aa35a771ced", [value]))
    device.value = value  # type: ignore[attr-defined]
    await device.power_on()
    await device.start_advertising(
        kind, advertising_data=FLAGS, scan_response_data=NAME_IN_RESPONSE, advertising_interval_min=20,
        advertising_interval_max=20, auto_restart=True,
    )  # fmt: skip
    return device


async def heard(adapter: Adapter, mode: str) -> dict[str, str | None]:
    found = {}
    async with BleakScanner(
        lambda device, data: found.__setitem__(device.address, data.local_name), scanning_mode=mode,
        backend=adapter.backends()[0],
    ):  # fmt: skip
        await asyncio.sleep(0.2)
    return found


async def test_a_name_in_the_scan_response_is_heard_by_active_scanners_alone() -> None:
    link = AirLink()
    await peripheral(link)
    adapter = await Adapter.open(link)
    assert await heard(adapter, "active") == {"C0:00:00:00:00:09": "ring"}
    assert await heard(adapter, "passive") == {"C0:00:00:00:00:09": None}
    await adapter.close()


async def test_what_cannot_be_connected_is_heard_and_not_connected() -> None:
    link = AirLink()
    await peripheral(link, AdvertisingType.UNDIRECTED)
    adapter = await Adapter.open(link)
    assert "C0:00:00:00:00:09" in await heard(adapter, "active")
    with pytest.raises((BleakDeviceNotFoundError, BleakError)):
        async with BleakClient("C0:00:00:00:00:09", timeout=1, backend=adapter.backends()[1]):
            pass
    await adapter.close()


async def test_two_centrals_at_one_advertisement_get_one_connection_each_in_turn() -> None:
    link = AirLink()
    ring = await peripheral(link)
    adapters = [await Adapter.open(link, address=f"F0:00:00:00:00:0{n}") for n in (1, 2)]

    async def read(adapter: Adapter) -> bytes:
        async with BleakClient("C0:00:00:00:00:09", timeout=5, backend=adapter.backends()[1]) as client:
            value = bytes(await client.read_gatt_char(VALUE))
            await asyncio.sleep(0.1)
            return value

    assert await asyncio.gather(*map(read, adapters)) == [b"hello", b"hello"]
    assert not ring.connections
    for adapter in adapters:
        await adapter.close()


async def test_a_radio_out_of_range_is_lost_and_silent_until_it_is_back() -> None:
    link = AirLink()
    ring = await peripheral(link)
    adapter = await Adapter.open(link)
    gone = asyncio.Event()
    client = BleakClient("C0:00:00:00:00:09", lambda _: gone.set(), timeout=5, backend=adapter.backends()[1])
    await client.connect()
    link.set_range(ring.host.controller, False)  # type: ignore[arg-type]
    await asyncio.wait_for(gone.wait(), 2)
    assert await heard(adapter, "active") == {}
    link.set_range(ring.host.controller, True)  # type: ignore[arg-type]
    await asyncio.sleep(0.1)
    assert await heard(adapter, "active") == {"C0:00:00:00:00:09": "ring"}
    await adapter.close()


async def notified(link: AirLink, count: int) -> tuple[list[int], float]:
    """Numbers of the notifications that arrived of `count`, and how long it took."""
    ring = await peripheral(link)
    adapter = await Adapter.open(link)
    got: list[int] = []
    async with BleakClient("C0:00:00:00:00:09", timeout=5, backend=adapter.backends()[1]) as client:
        await client.start_notify(VALUE, lambda _, data: got.append(data[0]))
        since = asyncio.get_running_loop().time()
        for number in range(count):
            await ring.notify_subscribers(ring.value, bytes([number]))  # type: ignore[attr-defined]
        while len(got) < count and asyncio.get_running_loop().time() - since < 2:
            await asyncio.sleep(0.005)
        took = asyncio.get_running_loop().time() - since
    await adapter.close()
    return got, took


async def test_harm_drops_and_doubles_as_its_seed_says_and_nothing_else() -> None:
    link = AirLink()
    harm = link.harm = NotificationHarm(drop=0.2, double=0.2, seed=3)
    got, _ = await notified(link, 100)
    assert harm.dropped > 5 and harm.doubled > 5
    assert len(got) == 100 - harm.dropped + harm.doubled
    assert sorted(set(got)) == sorted(set(got), key=got.index), "in order"


async def test_a_paced_air_carries_so_many_packets_an_event() -> None:
    link = AirLink()
    link.pace = Pace(0.02, 2)
    got, took = await notified(link, 40)
    assert got == list(range(40))
    assert took > 0.3, "20 events of 20 ms"
