"""ESP32-S3 module with native USB: which pin is what, and the parts made from them. Wiring: firmware/README.md.

Left alone: 0, 3, 45 and 46 (they choose how the chip boots), 19 and 20 (USB), 26 to 37 (flash and PSRAM).
"""

import machine

from boards import Board, Buzzer, RgbLed

I2C_BUS = 0
SDA, SCL = 8, 9
BATTERY = 1  # ADC1 channel 0 (ADC2 is not free while a radio is on), behind two equal resistors
CHARGER = 2  # open-drain status of the charger, low while charging
BUTTON = 4
RED, GREEN, BLUE = 5, 6, 7  # boot.py drives RED, GREEN, BLUE, BUZZER and BUTTON too
BUZZER = 15
VIBRATION = 16
BATTERY_DIVIDER = 2
_CONVERSIONS = 8


class Esp32S3(Board):
    name = "esp32s3"

    def __init__(self) -> None:
        super().__init__()
        self.i2c = machine.I2C(I2C_BUS, sda=machine.Pin(SDA), scl=machine.Pin(SCL), freq=400000)
        self.led = RgbLed(RED, GREEN, BLUE)
        self.buzzer = Buzzer(BUZZER)
        self.vibration = machine.Pin(VIBRATION, machine.Pin.OUT, value=0)
        self.button = machine.Pin(BUTTON, machine.Pin.IN, machine.Pin.PULL_UP)
        self._charger = machine.Pin(CHARGER, machine.Pin.IN, machine.Pin.PULL_UP)
        self._battery = machine.ADC(machine.Pin(BATTERY), atten=machine.ADC.ATTN_11DB)

    def battery_mv(self) -> int:
        """Mean of 8 conversions corrected by the chip's own calibration."""
        total = 0
        for _ in range(_CONVERSIONS):
            total += self._battery.read_uv()
        return total // _CONVERSIONS * BATTERY_DIVIDER // 1000

    def charging(self) -> bool:
        return not self._charger.value()


def make() -> Board:
    return Esp32S3()
