"""The virtual wearable (tools/virtual_wearable): a board like any other, whose clock may run faster.

Everything that it produces is flagged simulated.
"""

import asyncio
import time

import machine

from boards import Board, Buzzer, RgbLed
from crs_device.clock import Clock

PINS = {
    "sda": 4, "scl": 5, "led_red": 18, "led_green": 19, "led_blue": 20, "buzzer": 21, "button": 22,
    "vibration": 17, "charging": 16, "battery": 26,
}  # fmt: skip
BATTERY_DIVIDER = 2


class VirtualClock(Clock):
    """A clock that sleeps to the millisecond of a board whose time is sped up, where asyncio's own are many of them."""

    async def sleep_ms(self, wait_ms: int) -> None:
        if self.speed == 1:
            await asyncio.sleep_ms(max(wait_ms, 0))
            return
        end_us = time.ticks_add(time.ticks_us(), -(-max(wait_ms, 0) * 1000 // self.speed))
        await asyncio.sleep_ms(max(wait_ms, 0) // self.speed)
        # without this a task would wake early and ask for the time until it has come
        rest_us = time.ticks_diff(end_us, time.ticks_us())
        if rest_us > 0:
            time.sleep_us(rest_us)


class VirtualBoard(Board):
    name = "virtual"
    simulated = True

    def __init__(self) -> None:
        super().__init__()
        self.attribute_bytes = machine.VIRTUAL_ATTRIBUTE_BYTES
        self.clock = VirtualClock(time.ticks_ms, time.ticks_diff, machine.VIRTUAL_SPEED, time.ticks_us)
        self.i2c = machine.I2C(0, sda=machine.Pin(PINS["sda"]), scl=machine.Pin(PINS["scl"]), freq=400000)
        self.led = RgbLed(PINS["led_red"], PINS["led_green"], PINS["led_blue"])
        self.buzzer = Buzzer(PINS["buzzer"])
        self.vibration = machine.Pin(PINS["vibration"], machine.Pin.OUT, value=0)
        self.button = machine.Pin(PINS["button"], machine.Pin.IN, machine.Pin.PULL_UP)
        self._battery = machine.ADC(machine.Pin(PINS["battery"]))
        self._charging = machine.Pin(PINS["charging"], machine.Pin.IN)

    def battery_mv(self) -> int:
        return self._battery.read_uv() * BATTERY_DIVIDER // 1000

    def charging(self) -> bool:
        return self._charging.value() == 1


def make() -> Board:
    return VirtualBoard()
