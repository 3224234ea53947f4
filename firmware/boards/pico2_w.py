"""Raspberry Pi Pico 2 W: which pin is what, and the parts made from them. Wiring: firmware/README.md."""

import machine

from boards import Board, Buzzer, RgbLed

I2C_BUS = 0
SDA, SCL = 4, 5
CHARGER = 16  # open-drain status of the charger, low while charging
VIBRATION = 17
RED, GREEN, BLUE = 18, 19, 20  # boot.py drives RED, GREEN, BLUE, BUZZER and BUTTON too
BUZZER = 21
BUTTON = 22
BATTERY = 26  # ADC0, behind two equal resistors
BATTERY_DIVIDER = 2
_ADC_FULL_MV = 3300
_CONVERSIONS = 8


class Pico2W(Board):
    name = "pico2_w"
    attribute_bytes = 512  # stock BTstack: it leaves out silently what does not fit

    def __init__(self) -> None:
        super().__init__()
        self.i2c = machine.I2C(I2C_BUS, sda=machine.Pin(SDA), scl=machine.Pin(SCL), freq=400000)
        self.led = RgbLed(RED, GREEN, BLUE)
        self.buzzer = Buzzer(BUZZER)
        self.vibration = machine.Pin(VIBRATION, machine.Pin.OUT, value=0)
        self.button = machine.Pin(BUTTON, machine.Pin.IN, machine.Pin.PULL_UP)
        self._charger = machine.Pin(CHARGER, machine.Pin.IN, machine.Pin.PULL_UP)
        self._battery = machine.ADC(machine.Pin(BATTERY))

    def battery_mv(self) -> int:
        """Mean of 8 conversions; the reference is the board's own 3.3 V, good to about 2 %."""
        total = 0
        for _ in range(_CONVERSIONS):
            total += self._battery.read_u16()
        return total // _CONVERSIONS * _ADC_FULL_MV * BATTERY_DIVIDER // 65535

    def charging(self) -> bool:
        return not self._charger.value()


def make() -> Board:
    return Pico2W()
