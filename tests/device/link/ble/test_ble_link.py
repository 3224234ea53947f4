"""Who may stay and what is told, against a stack that ends a connection some time after it was asked to."""

from types import SimpleNamespace
from typing import Any

import pytest
from crs_core.wire import message as wire
from crs_device import health
from crs_device.health import Health
from crs_device.link.ble import ble_link
from crs_device.link.ble.ble_link import HELLO_MS, STRANGER_MS, BleLink
from crs_device.link.ble.bonds import Bonds

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
