"""The channel of a simulated air: intervals, loss and time-outs are simulated time, by the seed. No wearable."""

import asyncio
import itertools

import pytest
from bleak import BleakClient, BleakScanner
from bumble import hci
from bumble.device import AdvertisingType, Device
from bumble.gatt import Characteristic, Service
from bumble.host import Host

from tools.ble_air.bleak_backend import Adapter
from tools.ble_air.channel import Channel
from tools.ble_air.controller import AirController
from tools.ble_air.link import AirLink
from tools.conductor.conductor import Conductor
from tools.conductor.player_loop import played_by_loop, player_loop

ADDRESS = "C0:00:00:00:00:09"
VALUE = "6acd5f32-7c4c-436c-a191-3aa35a771ced"


def played(seed, scenario, **channel):
    """What a scenario returns on an air of its own, in simulated time."""
    with Conductor(seed) as time, played_by_loop(time):
        loop = player_loop(time)
        try:
            return loop.run_until_complete(scenario(AirLink(Channel(seed, **channel))))
        finally:
            loop.close()


async def peripheral(link, interval_ms=100):
    device = Device(name="ring", address=hci.Address(ADDRESS))
    device.host = Host()
    device.host.controller = AirController("ring", link)
    properties = Characteristic.Properties.READ | Characteristic.Properties.NOTIFY
    device.value = Characteristic(VALUE, properties, Characteristic.READABLE, b"hello")
    device.add_service(Service("6acd5f30-7c4c-436c-a191-3aa35a771ced", [device.value]))
    await device.power_on()
    await device.start_advertising(
        AdvertisingType.UNDIRECTED_CONNECTABLE_SCANNABLE, auto_restart=True,
        advertising_interval_min=interval_ms, advertising_interval_max=interval_ms,
    )  # fmt: skip
    return device


def now_s():
    return asyncio.get_running_loop().time()


async def connected(link, on_end=None):
    adapter = await Adapter.open(link)
    client = BleakClient(ADDRESS, on_end, timeout=20, backend=adapter.backends()[1])
    await client.connect()
    return client, adapter


async def heard_in_a_minute(link):
    await peripheral(link)
    adapter = await Adapter.open(link)
    times = []
    async with BleakScanner(
        lambda _device, _data: times.append(now_s()), scanning_mode="passive", backend=adapter.backends()[0]
    ):
        await asyncio.sleep(60)
    return times


@pytest.mark.parametrize(("unheard", "least", "most"), [(0, 560, 580), (0.5, 230, 340), (1, 0, 0)])
def test_advertisements_come_at_their_interval_and_a_delay_and_some_are_not_heard(unheard, least, most):
    times = played(1, heard_in_a_minute, unheard=unheard)
    assert least <= len(times) <= most
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert all(gap > 0.099 for gap in gaps)
    assert unheard or all(gap < 0.111 for gap in gaps)
    assert times == played(1, heard_in_a_minute, unheard=unheard)


async def hundred_notified(link):
    """When each of a hundred notifications arrives."""
    ring = await peripheral(link)
    times = []
    client, _ = await connected(link)
    await client.start_notify(VALUE, lambda _, data: times.append((data[0], now_s())))
    for number in range(100):
        await ring.notify_subscribers(ring.value, bytes([number]))
    await asyncio.sleep(30)
    return times


@pytest.mark.parametrize("lost", [0, 0.05, 0.6])
def test_notifications_come_at_connection_events_in_order_and_all(lost):
    times = played(1, hundred_notified, lost=lost)
    assert [number for number, _ in times] == list(range(100)), "the link layer repeats what was lost"
    events = sorted({at_s for _, at_s in times})
    gaps = [later - earlier for earlier, later in itertools.pairwise(events)]
    interval_s = min(gaps)
    assert interval_s + 1e-6 >= 0.015 and interval_s <= 0.03 + 1e-6
    # an event may be lost: the next gap is a whole number of intervals, within a microsecond each
    assert all(abs(gap / interval_s - round(gap / interval_s)) < 0.01 for gap in gaps)
    assert len(events) >= 100 / 6
    assert times == played(1, hundred_notified, lost=lost)
    assert times != played(2, hundred_notified, lost=lost)


async def lost_power(link):
    ring = await peripheral(link)
    ended = asyncio.get_running_loop().create_future()
    client, _ = await connected(link, lambda _: ended.set_result(now_s()))
    ring.host.controller.close()
    since_s = now_s()
    assert client.is_connected
    return await ended - since_s


def test_a_radio_without_power_is_missed_after_the_supervision_time_out():
    assert played(1, lost_power) == pytest.approx(0.72, abs=0.001)


async def away(link, seconds):
    ring = await peripheral(link)
    client, _ = await connected(link)
    link.set_range(ring.host.controller, False)
    reading = asyncio.create_task(client.read_gatt_char(VALUE))
    await asyncio.sleep(seconds)
    link.set_range(ring.host.controller, True)
    since_s = now_s()
    await asyncio.wait([reading])
    return client.is_connected, reading.exception() is None and bytes(reading.result()), now_s() - since_s


def test_who_is_back_before_the_time_out_goes_on_and_who_is_later_has_lost_the_connection():
    is_connected, value, waited_s = played(1, lambda link: away(link, 0.5))
    assert (is_connected, value) == (True, b"hello") and waited_s < 0.2
    is_connected, value, _ = played(1, lambda link: away(link, 1))
    assert (is_connected, value) == (False, False)


async def same_address_again(link):
    """A central that lost its power comes back under its address before the ring has missed it."""
    ring = await peripheral(link, 20)
    ended = []
    ring.on("connection", lambda one: one.on("disconnection", lambda _: ended.append(now_s())))
    _, adapter = await connected(link)
    await adapter.close()
    client, _ = await connected(link)
    return client.is_connected, len(ended), len(ring.connections)


def test_a_place_is_free_again_when_its_connection_has_timed_out():
    assert played(1, same_address_again) == (True, 1, 1)


async def given_up(link, after_s):
    """A central is told to connect no more so soon; another one then gets the ring's only attention."""
    ring = await peripheral(link)
    adapter = await Adapter.open(link)
    client = BleakClient(ADDRESS, timeout=20, backend=adapter.backends()[1])
    connecting = asyncio.create_task(client.connect())
    await asyncio.sleep(after_s)
    connecting.cancel()
    await asyncio.wait([connecting])
    await asyncio.sleep(1)
    return connecting.cancelled(), client.is_connected, len(ring.connections)


@pytest.mark.parametrize("after_ms", [1, 10, 60, 100, 110, 130, 200, 250, 400])
def test_a_connection_that_is_given_up_is_nobodys(after_ms):
    assert played(1, lambda link: given_up(link, after_ms / 1000), unheard=0) == (True, False, 0)
