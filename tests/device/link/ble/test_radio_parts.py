"""The parts of the radio link that need no radio: what is advertised, what fits, who may pair, what is remembered."""

import hashlib

import pytest
from crs_core.errors import RemoteError
from crs_core.wire import gatt_uuids as names
from crs_device.link.ble import advertising, attributes, bonds
from crs_device.link.ble.bonds import Bonds
from crs_device.link.ble.fragment_port import FragmentPort
from crs_device.link.ble.pairing import WINDOW_MS, PairingWindow
from crs_device.link.ble.radio import Connection

from host_agent.link import advertised

DEVICE_ID = b"DEVICEID"
SERVICE = bytes.fromhex(names.SERVICE.replace("-", ""))[::-1]
ADDRESS = bytes.fromhex("c60000000001")


def fields(data: bytes) -> dict[int, bytes]:
    found, at = {}, 0
    while at < len(data):
        found[data[at + 1]] = data[at + 2 : at + 1 + data[at]]
        at += 1 + data[at]
    assert at == len(data)
    return found


@pytest.mark.parametrize("count", range(6))
def test_an_advertisement_is_full_whatever_the_keys_and_resolves_to_each_of_the_first_four(count):
    keys = [bytes([n]) * 32 for n in range(count)]
    data = advertising.advertisement(names.FLAG_SIMULATED, ADDRESS, keys)
    assert len(data) == 31 and sorted(fields(data)) == [0x01, 0xFF], "flags and manufacturer data alone"
    said = advertised.decode(fields(data)[0xFF][2:])
    assert said is not None and said.flags == names.FLAG_SIMULATED and said.address == "C6:00:00:00:00:01"
    assert [said.is_of(DEVICE_ID, key) for key in keys] == [True] * min(count, 4) + [False] * (count - 4)
    assert not said.is_of(DEVICE_ID, b"\xee" * 32)


def test_nothing_that_stays_is_advertised_and_no_product_outside_pairing():
    key = bytes(range(32))
    one, other = (advertising.advertisement(0, ADDRESS, [key]) for _ in range(2))
    assert one != other and one[15:] != other[15:], "another salt, other tags"
    for word in (DEVICE_ID, SERVICE, names.NAME.encode(), key[:4], hashlib.sha256(DEVICE_ID).digest()[:4]):
        assert word not in one
    response = fields(advertising.scan_response())
    assert response == {0x09: b"CytoWatch", 0x07: SERVICE} and len(advertising.scan_response()) <= 31


def test_the_passkey_has_six_digits_and_changes_with_key_and_journal():
    numbers = {names.passkey(bytes([k]) * 32, bytes([j]) * 8) for k in range(20) for j in range(20)}
    assert len(numbers) > 390 and all(0 <= number < 1_000_000 for number in numbers)


def test_the_services_of_a_board_that_cannot_pair_fit_its_table():
    small = attributes.table_bytes(attributes.services(False))
    assert small == 349 and small < 512
    private = {row[0] for row in attributes.PRIVATE[1:]}
    assert private == {names.DOORBELL, names.OUT, names.IN}


def test_a_bond_is_there_after_a_restart_only_once_it_was_flushed(tmp_path):
    path = str(tmp_path / "bonds")
    kept = Bonds(path)
    assert kept.put(1, b"phone", b"secret" * 10) and kept.put(2, b"phone", b"other")
    assert Bonds(path).get(1, 0, b"phone") is None
    kept.flush()
    again = Bonds(path)
    assert again.get(1, 0, b"phone") == b"secret" * 10 and again.get(2, 0, None) == b"other"
    assert again.get(2, 1, None) is None and again.count == 1


def test_the_oldest_bonds_go_when_a_fourth_and_fifth_phone_pair(tmp_path):
    kept = Bonds(str(tmp_path / "bonds"))
    for number in range(5):
        for kind in (1, 2):
            kept.put(kind, b"phone%d" % number, b"s")
    assert kept.count == 3 and kept.get(1, 0, b"phone0") is None and kept.get(2, 0, b"phone4") == b"s"


def test_a_wiped_wearable_remembers_no_phone_and_keeps_its_own_secret(tmp_path):
    path = str(tmp_path / "bonds")
    kept = Bonds(path)
    kept.put(10, b"irk", b"own")
    kept.put(1, b"phone", b"s")
    kept.flush()
    kept.wipe()
    again = Bonds(path)
    assert again.count == 0 and again.get(10, 0, b"irk") == b"own"
    assert not again.put(1, b"phone", None), "there is nothing to forget"


def test_damaged_bonds_are_refused_whole_and_replaced(tmp_path):
    path = str(tmp_path / "bonds")
    kept = Bonds(path)
    kept.put(1, b"phone", b"secret")
    data = bonds.encode(kept._secrets)
    for cut in range(1, len(data)):
        try:
            bonds.decode(data[:cut])
        except RemoteError:
            continue
        assert cut == 1, "only the empty list is a whole list"
    with pytest.raises(RemoteError):
        bonds.decode(b"\x09" + data[1:])


def test_the_window_closes_by_time_and_by_three_failures():
    window = PairingWindow()
    assert not window.is_open(0)
    window.open(1000)
    assert window.is_open(1000 + WINDOW_MS - 1) and not window.is_open(1000 + WINDOW_MS)
    window.open(5000)
    window.failed()
    window.failed()
    assert window.is_open(5001)
    window.failed()
    assert not window.is_open(5002)
    window.failed()
    window.open(6000)
    assert window.is_open(6001), "a new gesture is a new window"


class Stack:
    """Takes `room` notifications, then says no."""

    can_pair = True

    def __init__(self) -> None:
        self.room = 0
        self.sent: list[bytes] = []

    def notify(self, number: int, handle: int, data: bytes) -> bool:
        if self.room <= 0:
            return False
        self.room -= 1
        self.sent.append(data)
        return True


def test_a_full_stack_keeps_fragments_and_their_order():
    stack, connection = Stack(), Connection(1, b"", 0)
    port = FragmentPort(stack, connection, 16)
    pieces = [bytes([n]) for n in range(40)]
    port.queue(pieces, 0)
    now = 0
    while not port.is_idle:
        stack.room = 3
        now += 4
        assert port.pump(now)
    assert stack.sent == pieces and port.times_full > 10


def test_a_stack_that_takes_nothing_for_two_seconds_is_dead_and_so_is_one_without_its_central():
    stack, connection = Stack(), Connection(1, b"", 0)
    port = FragmentPort(stack, connection, 16)
    port.queue([b"x"], 1000)
    assert port.pump(2999) and not port.pump(3000)
    port.queue([b"x"], 4000)
    connection.is_gone = True
    assert not port.pump(4001)


def test_what_a_central_wrote_comes_out_piece_by_piece():
    connection = Connection(1, b"", 0)
    port = FragmentPort(Stack(), connection, 16)
    connection.inbox += [b"a", b"b"]
    assert port.read() == [b"a", b"b"] and port.read() == []
