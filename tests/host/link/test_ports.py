"""Which ports get a HELLO."""

from host_agent.link.ports import UsbPort, candidates

PICO = UsbPort("/dev/ttyACM0", 0x2E8A, 0x0005, "E66")
BRIDGE = UsbPort("/dev/ttyUSB0", 0x10C4, 0xEA60, "0001")
MODEM = UsbPort("/dev/ttyS0", None, None, None)


def test_strangers_are_never_candidates() -> None:
    assert candidates([], list_system=lambda: [BRIDGE, MODEM]) == []


def test_known_boards_and_remembered_serials_are() -> None:
    found = candidates([], ["0001"], list_system=lambda: [PICO, BRIDGE, MODEM])
    assert [(c.port, c.why) for c in found] == [("/dev/ttyACM0", "usb_id"), ("/dev/ttyUSB0", "remembered")]


def test_a_configured_port_comes_first_once_and_need_not_exist_yet(tmp_path) -> None:
    link = tmp_path / "wearable"
    link.symlink_to("/dev/ttyACM0")
    found = candidates([str(link), "/dev/pts/9"], list_system=lambda: [PICO])
    assert [(c.port, c.why) for c in found] == [(str(link), "configured"), ("/dev/pts/9", "configured")]
    assert found[0].usb_serial == "E66"


def test_scanning_can_be_switched_off() -> None:
    assert candidates([], ["E66"], scan_usb=False, list_system=lambda: [PICO]) == []
