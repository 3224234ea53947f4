"""Answers what the chip asks over its backplane: the other end of chip/backplane.py."""

import struct
from typing import Protocol

from tools.virtual_wearable.flash_plan import FlashPlan
from tools.virtual_wearable.panel import Panel
from tools.virtual_wearable.watchdog import Watchdog
from tools.virtual_wearable.world import World

_EIO = 5


class Power(Protocol):
    """What a request may do to the chip itself."""

    def console_ready(self, mounted: bool) -> None:
        """The chip listens to its port; `mounted` is False when its flash holds something unreadable."""

    def keyboard_interrupt(self, on: bool) -> None:
        """micropython.kbd_intr: whether Ctrl-C breaks in, or is a character."""

    def reset_requested(self) -> None:
        """machine.reset()."""

    def soft_reset_requested(self) -> None:
        """SystemExit in boot.py or main.py, also machine.soft_reset()."""

    def cut_requested(self) -> None:
        """A planned power cut has reached its operation."""

    def time_asked(self, payload: bytes) -> None:
        """Simulated time: the chip waits; it is answered later."""

    def time_told(self, payload: bytes) -> None:
        """Simulated time: so far has the chip come."""

    def program_ended(self) -> None:
        """Simulated time: from now on the chip only reads its console."""


class ChipService:
    """Takes one datagram of the chip and returns the answer, or None when it wants none."""

    def __init__(
        self, world: World, panel: Panel, watchdog: Watchdog, flash: FlashPlan, power: Power
    ) -> None:
        self._world, self._panel, self._watchdog = world, panel, watchdog
        self._flash, self._power = flash, power
        self.unknown = 0

    def take(self, message: bytes, now: float) -> bytes | None:
        """Handle one message: op, number, payload."""
        op, number, payload = chr(message[0]), message[1], message[2:]
        if op == "m":
            self._power.time_told(payload[:8])
            return bytes((number,)) + self._bus("M", payload[8:])
        if op in "SWRM":
            return bytes((number,)) + self._bus(op, payload)
        if op == "T":
            self._power.time_asked(payload)
            return None
        if op == "t":
            self._power.time_told(payload)
            return None
        if op == "F":
            return bytes((number, 0)) + self._flash.decide(chr(payload[0]))
        self._told(op, number, payload, now)
        return None

    def _bus(self, op: str, payload: bytes) -> bytes:
        self._world.touch()
        bus = self._world.bus
        try:
            if op == "S":
                return b"\0" + bytes(bus.scan())
            if op == "W":
                bus.writeto(payload[0], payload[1:])
                return b"\0"
            if op == "R":
                address, count = struct.unpack("<BH", payload)
                return b"\0" + bus.readfrom(address, count)
            address, register, count = struct.unpack("<BBH", payload)
        except OSError as error:
            return _errno(error)
        try:
            return b"\0" + bus.readfrom_mem(address, register, count)
        except OSError as error:
            return _errno(error) + bytes(count)  # the chip waits for as many bytes as it asked for

    def _told(self, op: str, flag: int, payload: bytes, now: float) -> None:
        if op == "P":
            self._panel.pin(payload[0], payload[1], self._world.now_ms())
        elif op == "Q":
            number, freq_hz, duty_u16 = struct.unpack("<BIH", payload)
            self._panel.pwm(number, freq_hz, duty_u16, self._world.now_ms())
        elif op == "D":
            self._watchdog.feed(now)
        elif op == "A":
            self._watchdog.arm(struct.unpack("<I", payload)[0], now)
        elif op == "C":
            self._power.console_ready(bool(flag))
        elif op == "I":
            self._power.keyboard_interrupt(bool(flag))
        elif op == "X":
            self._power.reset_requested()
        elif op == "Z":
            self._power.soft_reset_requested()
        elif op == "K":
            self._power.cut_requested()
        elif op == "E":
            self._power.program_ended()
        else:
            self.unknown += 1


def _errno(error: OSError) -> bytes:
    return bytes((error.args[0] if error.args else _EIO,))
