"""The radio against a stack that behaves as NimBLE's source says: secrets, repeated pairing, phantoms, errors."""

import pytest
from crs_device.link.ble.bonds import Bonds
from crs_device.link.ble.pairing import PairingWindow
from crs_device.link.ble.radio import Radio

from tests.fakes.nimble_stack import (
    CONNECTED,
    DISCONNECTED,
    ENCRYPTION,
    GET,
    PASSKEY,
    SET,
    Bluetooth,
    Clock,
    NimbleStack,
)

PHONE = b"\x00phone!"


@pytest.fixture
def parts(tmp_path, monkeypatch):
    monkeypatch.setattr("time.sleep_ms", lambda ms: None, raising=False)
    stack, clock = NimbleStack(), Clock()
    radio = Radio(Bluetooth(stack), Bonds(str(tmp_path / "bonds")), PairingWindow(), clock)
    radio.passkey = 123456
    return radio, stack, clock


def connect(stack: NimbleStack, number: int = 1) -> None:
    stack.handler(CONNECTED, (number, 0, memoryview(b"addr%02d" % number)))


def pair(radio: Radio, stack: NimbleStack, number: int = 1, key: bytes = PHONE, secret: bytes = b"s") -> None:
    connect(stack, number)
    stack.handler(PASSKEY, (number, 3, 0))
    assert stack.said[-1] == (number, 123456)
    for kind in (1, 2):
        assert stack.handler(SET, (kind, memoryview(key), memoryview(secret)))
    stack.handler(ENCRYPTION, (number, True, True, True, 16))
    assert radio.connections[number].is_secure


def test_a_pairing_in_the_window_is_kept_and_closes_it(parts):
    radio, stack, clock = parts
    radio.window.open(clock.now)
    pair(radio, stack)
    assert stack.handler(GET, (1, 0, memoryview(PHONE))) == b"s"
    assert not radio.window.is_open(clock.now), "the number is known to who recorded it"


def test_just_works_is_never_kept_and_never_refused_to_the_stack(parts):
    radio, stack, clock = parts
    radio.window.open(clock.now)
    pair(radio, stack)
    radio.window.open(clock.now + 10_000)
    clock.now += 10_000
    for number in range(2, 7):
        connect(stack, number)
        for kind in (1, 2):
            assert stack.handler(SET, (kind, memoryview(b"just%d" % number), memoryview(b"x"))), (
                "a no empties the store"
            )
        stack.handler(ENCRYPTION, (number, True, False, True, 16))
        assert radio.connections[number].must_go
    assert radio.bonds.count == 1 and radio.bonds.get(1, 0, PHONE) == b"s" and radio.bonds.refused == 10


def test_who_asks_to_pair_under_a_phones_address_does_not_take_its_bond(parts):
    radio, stack, clock = parts
    radio.window.open(clock.now)
    pair(radio, stack)
    radio.bonds.flush()
    connect(stack, 2)
    for kind in (1, 2):
        assert stack.handler(SET, (kind, memoryview(PHONE), None)), "the stack would ask for ever"
    radio.bonds.flush()  # nothing is written while it is not known who that is
    stack.handler(PASSKEY, (2, 3, 0))
    assert radio.connections[2].must_go, "the window is closed"
    stack.handler(DISCONNECTED, (2, 0, memoryview(b"addr02")))
    assert stack.handler(GET, (1, 0, memoryview(PHONE))) == b"s"
    assert stack.handler(GET, (2, 0, memoryview(PHONE))) == b"s"


def test_the_phone_itself_replaces_its_bond(parts):
    radio, stack, clock = parts
    radio.window.open(clock.now)
    pair(radio, stack)
    stack.handler(DISCONNECTED, (1, 0, memoryview(b"addr01")))
    radio.window.open(clock.now)
    for kind in (1, 2):
        assert stack.handler(SET, (kind, memoryview(PHONE), None))
    pair(radio, stack, 3, secret=b"new")
    assert radio.bonds.get(1, 0, PHONE) == b"new" and radio.bonds.count == 1


def test_a_connection_that_the_stack_forgot_goes_when_it_is_asked_to(parts):
    radio, stack, _ = parts
    connect(stack, 7)
    gone = radio.connections[7]
    radio.disconnect(7)
    assert gone.is_gone and not radio.connections


def test_an_error_in_the_interrupt_is_counted_and_leaves_the_radio_listening(parts):
    radio, stack, _ = parts
    connect(stack)
    radio.in_handle = 16
    assert stack.handler(3, (1, 16)) is None and radio.errors == 1
    connect(stack, 2)
    assert len(radio.connections) == 2


def test_a_stack_without_memory_keeps_the_fragment(parts):
    radio, stack, _ = parts
    connect(stack)
    stack.is_out_of_memory = True
    assert radio.notify(1, 16, b"x") is False


def test_without_a_custodians_key_there_is_no_number_to_pair_with(parts):
    radio, stack, clock = parts
    radio.passkey = -1
    radio.window.open(clock.now)
    connect(stack)
    stack.handler(PASSKEY, (1, 3, 0))
    assert stack.said == [] and radio.connections[1].must_go


def test_a_hand_over_ends_who_is_in_and_who_is_at_it(parts):
    radio, stack, clock = parts
    radio.window.open(clock.now)
    pair(radio, stack)
    radio.window.open(clock.now)
    connect(stack, 2)
    stack.handler(PASSKEY, (2, 3, 0))
    radio.refuse_pairing()
    radio.bonds.wipe()
    assert all(connection.must_go and not connection.is_secure for connection in radio.connections.values())
    assert not radio.window.is_open(clock.now) and radio.bonds.count == 0
