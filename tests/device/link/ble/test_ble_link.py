"""Who may stay and what is told, against a stack that ends a connection some time after it was asked to."""

from types import SimpleNamespace
from typing import Any

import pytest
from crs_core.wire import message as wire
from crs_device import health
from crs_device.health import Health
from crs_device.link.ble import ble_link
from crs_device.link.ble.ble_link import HELLO_MS, INTERVAL_US, RENEW_MS, STRANGER_MS, BleLink
from crs_device.link.ble.bonds import Bonds

from host_agent.link import advertised
from tests.fakes.nimble_stack import ENCRYPTION, READ_REQUEST, Bluetooth, Clock, NimbleStack
from tools.rig.image import CUSTODIAN, READER

LEVEL = 0x2A19
TURN_MS = 4
JOURNAL = SimpleNamespace(journal_id=b"JOURNAL1")


@pytest.fixture
def parts(tmp_path, monkeypatch):
    monkeypatch.setattr("time.sleep_ms", lambda ms: None, raising=False)
    monkeypatch.setattr(ble_link, "Bonds", lambda: Bonds(str(tmp_path / "bonds")))
    stack, clock = NimbleStack(), Clock()
    app = SimpleNamespace(
        board=SimpleNamespace(name="board", simulated=True, attribute_bytes=0),
        clock=clock, guard=None, health=Health(), log=SimpleNamespace(journal=JOURNAL), keys=[CUSTODIAN],
        device_id=b"DEVICEID", servers=[], requests=None, power=SimpleNamespace(battery_mv=0),
    )  # fmt: skip
    return BleLink(app, Bluetooth(stack)), stack, app


def turns(link: BleLink, app: Any, ms: int) -> None:
    """The turns of so many milliseconds."""
    for _ in range(ms // TURN_MS):
        link.turn()
        app.clock.now += TURN_MS


def strangers_counted(app: Any) -> int:
    return app.health.value(health.BLE_STRANGER)


def test_the_oldest_of_four_strangers_alone_goes_however_long_its_going_takes(parts):
    link, stack, app = parts
    for number in range(1, 5):
        stack.connect(number)
        app.clock.now += 500
    turns(link, app, HELLO_MS - 2000)
    assert stack.asked_to_end == [], "the oldest may be the custodian's laptop too, before its HELLO"
    turns(link, app, 400)
    assert stack.asked_to_end == [1], "the others, one of whom may be the custodian's laptop, stay"
    assert strangers_counted(app) == 1
    stack.end(1)
    turns(link, app, 400)
    assert stack.asked_to_end == [1]


def test_who_does_not_go_is_asked_again_after_two_seconds_and_counted_once(parts):
    link, stack, app = parts
    stack.connect(1)
    turns(link, app, STRANGER_MS)
    assert stack.asked_to_end == []
    turns(link, app, 1000)
    assert stack.asked_to_end == [1]
    turns(link, app, 2000)
    assert stack.asked_to_end == [1, 1] and strangers_counted(app) == 1


def test_without_a_custodian_there_is_no_number_to_pair_with(parts):
    link, _, app = parts
    assert link._radio.passkey >= 0
    app.keys = [READER]
    link.keys_changed()
    assert link._radio.passkey == -1


def test_a_battery_that_was_not_measured_has_no_level(parts):
    link, stack, app = parts
    handle = link._handles[LEVEL]
    stack.connect(1)
    stack.handler(ENCRYPTION, (1, True, True, True, 16))
    live = wire.Live(5, 3850, 960, 90, 100, 1, 3, 1, 4, [])

    def told() -> list[bytes]:
        return [data for _, at, data in stack.notified if at == handle]

    link.show(live)
    assert stack.handler(READ_REQUEST, (1, handle)) == 0x80 and not told()
    app.power.battery_mv = 3900
    link.show(live)
    assert stack.handler(READ_REQUEST, (1, handle)) == 0
    assert told() == [stack.values[handle]] and 0 < told()[0][0] <= 100
    app.power.battery_mv = 0
    link.show(live)
    assert stack.handler(READ_REQUEST, (1, handle)) == 0x80 and len(told()) == 1


def test_what_is_advertised_tells_no_alarm_and_changes_after_a_quarter_of_an_hour(parts):
    link, stack, app = parts
    turns(link, app, 1000)
    link.ring()
    turns(link, app, 1000)
    (first,) = stack.advertised
    app.clock.now += RENEW_MS
    turns(link, app, 1000)
    assert len(stack.advertised) == 2, "rung and quiet are one advertisement"
    second = stack.advertised[1]
    assert first[0] == second[0] == INTERVAL_US and first[2] == second[2] == b""
    assert first[1][9:15] != second[1][9:15], "another address"
    assert first[1][15:] != second[1][15:], "another salt and other tags"
    assert stack.address_modes == [3, 3], "non-resolvable private addresses"


def test_a_stack_without_private_addresses_takes_a_random_one(parts, monkeypatch):
    link, stack, app = parts
    config = stack.config

    def refuses(*asked: str, **values: Any) -> Any:
        if values.get("addr_mode") == 3:
            raise OSError(22)
        return config(*asked, **values)

    monkeypatch.setattr(stack, "config", refuses)
    turns(link, app, 100)
    assert stack.address_modes == [1] and stack.advertised[0][1][9:15] == bytes([0xC6, 0, 0, 0, 0, 1])


def test_while_a_phone_may_pair_and_once_one_did_the_address_stays_and_the_name_is_told_in_the_window(parts):
    link, stack, app = parts
    link.window.open(app.clock.real_ms())
    turns(link, app, 100)
    assert stack.address_modes == [0] and b"CytoWatch" in stack.advertised[-1][2]
    link.window.close()
    link._radio.bonds.put(1, b"phone", b"secret")
    turns(link, app, 100)
    assert stack.address_modes == [0, 0] and stack.advertised[-1][2] == b""
    link.wipe_bonds()
    app.clock.now += RENEW_MS
    turns(link, app, 100)
    assert stack.address_modes == [0, 0, 3], "the next patient's wearable has another address"


def test_another_key_is_advertised_at_once(parts):
    link, stack, app = parts
    turns(link, app, 100)
    app.keys = [READER]
    link.keys_changed()
    turns(link, app, 100)
    said = [advertised.decode(data[7:]) for _, data, _ in stack.advertised]
    assert [one.is_of(b"", CUSTODIAN.key) for one in said] == [True, False]
    assert [one.is_of(b"", READER.key) for one in said] == [False, True]
