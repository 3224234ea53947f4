"""Boards: `detect()` returns the board this runs on, with all the parts that the application needs.

One file per board (pin numbers and machine parts, nothing else). A new board is one file and one line in `_NAMES`.
"""

import gc
import os
import select
import sys
import time

import machine

from crs_device.clock import Clock

# part of the port's name for the machine, in lower case -> file in this folder
_NAMES = (("esp32s3", "esp32s3"), ("esp32-s3", "esp32s3"), ("pico 2 w", "pico2_w"), ("rp2350", "pico2_w"))

_DUTY_MAX = 65535


class RgbLed:
    """Three lights, each on or off; `lit` is the level that lights them."""

    def __init__(self, red: int, green: int, blue: int, lit: int = 1) -> None:
        self._lit = lit
        self._pins = [machine.Pin(number, machine.Pin.OUT, value=1 - lit) for number in (red, green, blue)]

    def rgb(self, red: int, green: int, blue: int) -> None:
        """Light the colours whose argument is not 0."""
        for pin, on in zip(self._pins, (red, green, blue)):
            pin.value(self._lit if on else 1 - self._lit)


class Buzzer:
    """A passive buzzer on a PWM pin."""

    def __init__(self, number: int) -> None:
        self._pwm = machine.PWM(machine.Pin(number), freq=1000, duty_u16=0)

    def tone(self, freq_hz: int, duty: int = _DUTY_MAX // 2) -> None:
        """Sound until `off`; `duty` 0..65535, half is loudest."""
        self._pwm.freq(freq_hz)
        self._pwm.duty_u16(duty)

    def off(self) -> None:
        self._pwm.duty_u16(0)


class Board:
    """What every board has. A board file subclasses it and fills in the parts.

    `led` RgbLed, `buzzer` Buzzer, `vibration` output Pin, `button` input Pin (0 while pressed), `i2c` machine.I2C,
    `clock` Clock, `stdin` and `stdout` raw streams of the port, `poll` a select.poll with both registered.
    """

    name = ""
    simulated = False  # only the virtual board says otherwise; its file is never copied to a real one
    fs_root = "/"
    attribute_bytes = 0  # size of the radio's attribute table; 0 where it grows as needed

    def __init__(self) -> None:
        self.uid = machine.unique_id()
        self.clock = Clock(time.ticks_ms, time.ticks_diff)
        self.stdin = sys.stdin.buffer
        self.stdout = sys.stdout.buffer
        self.poll = select.poll()
        self.poll.register(self.stdin, select.POLLIN)
        self.poll.register(self.stdout, select.POLLOUT)

    def battery_mv(self) -> int:
        """Voltage of the cell in millivolts, 0 where it cannot be measured."""
        return 0

    def charging(self) -> bool:
        """Whether a charger is connected, False where that cannot be known."""
        return False

    def reset_cause(self) -> int:
        """Return the port's machine.reset_cause()."""
        return machine.reset_cause()

    def reset(self) -> None:
        """Hard reset; does not return."""
        machine.reset()

    def wdt(self, timeout_ms: int):  # type: ignore[no-untyped-def]
        """Arm the watchdog (real time) and return it: `.feed()`."""
        return machine.WDT(timeout=timeout_ms)

    def random_bytes(self, count: int) -> bytes:
        """Return bytes from the chip's random source."""
        return os.urandom(count)

    def heap_free(self) -> int:
        """Bytes of heap that are free without a collection."""
        return gc.mem_free()


def name() -> str:
    """Name of the file in this folder for the board this runs on; RuntimeError says what is missing."""
    if getattr(machine, "VIRTUAL", False):
        return "virtual"
    described = getattr(sys.implementation, "_machine", sys.platform).lower()
    for part, board in _NAMES:
        if part in described:
            return board
    raise RuntimeError("no board file for '" + described + "': add one to firmware/boards")


def detect() -> Board:
    """Build the board this runs on."""
    found = name()
    return getattr(__import__("boards." + found), found).make()
