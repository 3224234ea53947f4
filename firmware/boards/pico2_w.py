"""Raspberry Pi Pico 2 W: which pin is what, and the parts made from them. Wiring: firmware/README.md."""

import gc
import os
import sys
import time

import machine

from crs_device.clock import Clock

I2C_BUS = 0
SDA, SCL = 4, 5
VIBRATION = 16
CHARGER = 17  # open-drain status of the charger, low while charging
RED, GREEN, BLUE = 18, 19, 20  # boot.py drives RED, GREEN, BLUE, BUZZER and BUTTON too
BUZZER = 21
BUTTON = 22
BATTERY = 26  # ADC0, behind two equal resistors
ADC_FULL_MV = 3300
BATTERY_DIVIDER = 2


class Led:
    """Three outputs; `rgb(r, g, b)` with 0 or 1 each."""

    def __init__(self) -> None:
        self._red = machine.Pin(RED, machine.Pin.OUT, value=0)
        self._green = machine.Pin(GREEN, machine.Pin.OUT, value=0)
        self._blue = machine.Pin(BLUE, machine.Pin.OUT, value=0)

    def rgb(self, red: int, green: int, blue: int) -> None:
        """Switch each colour at once."""
        self._red.value(red)
        self._green.value(green)
        self._blue.value(blue)


class Buzzer:
    """A passive piezo on a PWM pin."""

    def __init__(self) -> None:
        self._pwm = machine.PWM(machine.Pin(BUZZER), freq=1000, duty_u16=0)

    def tone(self, freq_hz: int, duty: int) -> None:
        """Sound until told otherwise; duty 0..65535."""
        self._pwm.freq(freq_hz)
        self._pwm.duty_u16(duty)

    def off(self) -> None:
        """Silence."""
        self._pwm.duty_u16(0)


class Board:
    """The parts of this board, ready to use."""

    name = "pico2_w"
    simulated = False
    fs_root = "/"

    def __init__(self) -> None:
        self.clock = Clock(time.ticks_ms, time.ticks_diff)
        self.i2c = machine.I2C(I2C_BUS, scl=machine.Pin(SCL), sda=machine.Pin(SDA), freq=400_000)
        self.led = Led()
        self.buzzer = Buzzer()
        self.vibration = machine.Pin(VIBRATION, machine.Pin.OUT, value=0)
        self.button = machine.Pin(BUTTON, machine.Pin.IN, machine.Pin.PULL_UP)
        self._charger = machine.Pin(CHARGER, machine.Pin.IN, machine.Pin.PULL_UP)
        self._battery = machine.ADC(BATTERY)
        self.uid = machine.unique_id()
        self.stdin = sys.stdin.buffer
        self.stdout = sys.stdout.buffer

    def battery_mv(self) -> int:
        """Battery voltage, mean of 8 conversions."""
        total = 0
        for _ in range(8):
            total += self._battery.read_u16()
        return total // 8 * ADC_FULL_MV * BATTERY_DIVIDER // 65535

    def charging(self) -> bool:
        """Whether the charger says that it charges."""
        return not self._charger.value()

    def reset_cause(self) -> int:
        """The port's number for what started the chip."""
        return machine.reset_cause()

    def reset(self) -> None:
        """Hard reset, now."""
        machine.reset()

    def wdt(self, timeout_ms: int) -> machine.WDT:
        """Arm the watchdog (at most 8388 ms here); it cannot be stopped."""
        return machine.WDT(timeout=timeout_ms)

    def random_bytes(self, n: int) -> bytes:
        """From the chip's random number generator."""
        return os.urandom(n)

    def heap_free(self) -> int:
        """Bytes free on the MicroPython heap."""
        return gc.mem_free()


def build() -> Board:
    """Make the board; called once, at start."""
    return Board()
