"""The outside of the wearable: lights, buzzer, vibration to look at; button, battery, charger to act on."""

import os
from collections import deque
from pathlib import Path

from tools.virtual_wearable import pinout

_PINS_AT = 8  # inputs file: 0 reserved, 1 flash faults, 2-3 millivolts at the divider, 8-15 pin levels
_SIZE = 16
_NAMES = {
    pinout.LED_RED: "red",
    pinout.LED_GREEN: "green",
    pinout.LED_BLUE: "blue",
    pinout.VIBRATION: "vibration",
}


class Panel:
    """Outputs as the firmware drives them, with a log; inputs in a file that the chip polls."""

    def __init__(self, inputs_path: Path) -> None:
        self._fd = os.open(inputs_path, os.O_RDWR | os.O_CREAT, 0o600)
        self._inputs = bytearray(_SIZE)
        self.outputs: dict[str, int] = {"red": 0, "green": 0, "blue": 0, "vibration": 0}
        self.buzzer = {"freq_hz": 0, "duty_u16": 0}
        self.log: deque[dict[str, object]] = deque(maxlen=4000)
        self.changes = 0
        self.button_pressed = False
        self.set_button(False)
        self.set_battery(3950)
        self.set_charging(False)

    # -- what the firmware does --

    def pin(self, number: int, level: int, now_ms: int) -> None:
        """A pin was driven."""
        name = _NAMES.get(number)
        if name and self.outputs[name] != level:
            self.outputs[name] = level
            self._note(now_ms, name, level)

    def pwm(self, number: int, freq_hz: int, duty_u16: int, now_ms: int) -> None:
        """A PWM was set; the buzzer sounds while its duty is not 0, any other pin counts as on."""
        if number != pinout.BUZZER:
            self.pin(number, 1 if duty_u16 else 0, now_ms)
            return
        before = self.buzzer
        self.buzzer = {"freq_hz": freq_hz, "duty_u16": duty_u16}
        if self.buzzer != before and (duty_u16 or before["duty_u16"]):
            self._note(now_ms, "buzzer", freq_hz if duty_u16 else 0)

    def dark(self, now_ms: int) -> None:
        """Power or reset: every pin floats, everything is off."""
        for number in _NAMES:
            self.pin(number, 0, now_ms)
        self.mute(now_ms)

    def mute(self, now_ms: int) -> None:
        """Soft reset: PWM stops, pins keep their level."""
        self.pwm(pinout.BUZZER, 0, 0, now_ms)

    def _note(self, now_ms: int, what: str, value: int) -> None:
        self.changes += 1
        self.log.append({"n": self.changes, "sim_ms": now_ms, "what": what, "value": value})

    # -- what the outside does --

    def set_button(self, pressed: bool) -> None:
        """Press or release the button."""
        self.button_pressed = pressed
        self._set_level(pinout.BUTTON, not pressed)

    def set_charging(self, on: bool) -> None:
        """Connect or remove the charger."""
        self._set_level(pinout.CHARGING, on)

    def set_battery(self, millivolts: int) -> None:
        """Set the cell's voltage."""
        self.battery_mv = millivolts
        self._inputs[2:4] = (millivolts // pinout.BATTERY_DIVIDER).to_bytes(2, "little")
        self._write()

    def set_flash_read_fault(self, on: bool) -> None:
        """Let every flash read answer EIO."""
        self._inputs[1] = 1 if on else 0
        self._write()

    def _set_level(self, pin: int, level: bool) -> None:
        bit = 1 << (pin & 7)
        at = _PINS_AT + (pin >> 3)
        self._inputs[at] = self._inputs[at] | bit if level else self._inputs[at] & ~bit
        self._write()

    def _write(self) -> None:
        os.pwrite(self._fd, self._inputs, 0)

    def close(self) -> None:
        """Release the file."""
        os.close(self._fd)
