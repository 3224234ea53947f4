"""Which ports may be a wearable: those named in the configuration, known USB ids, remembered serial numbers.

Other ports are never opened: bytes sent to an unknown device can do harm.
"""

import os
from collections.abc import Callable, Iterable
from typing import NamedTuple

from serial.tools import list_ports

# USB ids of the boards that this firmware runs on. Bridges such as CP210x are in many products, so not listed.
KNOWN_USB_IDS = {
    (0x2E8A, 0x0005): "MicroPython on RP2040/RP2350",
    (0x303A, 0x4001): "MicroPython on ESP32-S3",
    (0x303A, 0x1001): "Espressif USB serial/JTAG",
}


class Candidate(NamedTuple):
    """A port to try; `why` is configured, remembered or usb_id."""

    port: str
    why: str
    usb_serial: str | None


class UsbPort(NamedTuple):
    """One serial port as the system describes it."""

    device: str
    vid: int | None
    pid: int | None
    serial_number: str | None


def system_ports() -> list[UsbPort]:
    """All serial ports of this laptop."""
    return [UsbPort(p.device, p.vid, p.pid, p.serial_number) for p in list_ports.comports()]


def candidates(
    configured: Iterable[str],
    remembered_serials: Iterable[str] = (),
    scan_usb: bool = True,
    list_system: Callable[[], list[UsbPort]] = system_ports,
) -> list[Candidate]:
    """Ports to try, each once (a symlink and its target are one). Configured ports need not exist yet."""
    found: dict[str, Candidate] = {}
    present = list_system() if scan_usb else []
    serial_of = {os.path.realpath(p.device): p.serial_number for p in present}
    for port in configured:
        real = os.path.realpath(port)
        found.setdefault(real, Candidate(port, "configured", serial_of.get(real)))
    remembered = set(remembered_serials)
    for port_info in present:
        real = os.path.realpath(port_info.device)
        if port_info.serial_number and port_info.serial_number in remembered:
            found.setdefault(real, Candidate(port_info.device, "remembered", port_info.serial_number))
        elif port_info.vid is not None and (port_info.vid, port_info.pid) in KNOWN_USB_IDS:
            found.setdefault(real, Candidate(port_info.device, "usb_id", port_info.serial_number))
    return list(found.values())
