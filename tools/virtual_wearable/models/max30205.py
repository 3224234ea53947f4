"""Register model of the MAX30205 thermometer (data sheet 19-8505): four registers, no part id, no data-ready flag.

1/256 °C per code; 44 ms a conversion, continuous or one shot out of shutdown; the extended format counts from 64 °C.
Only the two lowest bits of the pointer are looked at, so a register that does not exist reads as one that does. The
noise of some codes is an assumption; the OS output is not modelled.
"""

from tools.virtual_wearable.models.probe import Probe

ADDRESS = 0x48
TEMPERATURE, CONFIG, THYST, TOS = 0, 1, 2, 3
SHUTDOWN, EXTENDED, ONE_SHOT = 0x01, 0x20, 0x80
_CONVERSION_US = 44000
_SPREAD = 2


class Max30205(Probe):
    """The chip and its thermal surroundings."""

    def __init__(self, wearer, now_us, seed: int = 7) -> None:
        super().__init__(wearer, now_us)
        self.stuck = False  # fault: the converter repeats its last result for ever
        self._noise = seed & 0xFFFFFFFF
        self.pointer = 0
        self._power_on()

    def _power_on(self) -> None:
        self.regs = [0x0000, 0x00, 0x4B00, 0x5000]
        self._due_us: int | None = self._last_us + _CONVERSION_US

    def write(self, data: bytes) -> None:
        """Take one write transaction: pointer, then optionally the register's value, high byte first."""
        self.live()
        if not data:
            return
        self.pointer = data[0] & 3
        if self.pointer == CONFIG and len(data) >= 2:
            self._configure(data[1])
        elif self.pointer in (THYST, TOS) and len(data) >= 3:
            self.regs[self.pointer] = data[1] << 8 | data[2]

    def _configure(self, value: int) -> None:
        was_shut = self.regs[CONFIG] & SHUTDOWN
        self.regs[CONFIG] = value & ~ONE_SHOT
        if not value & SHUTDOWN:
            if was_shut:
                self._due_us = self._last_us + _CONVERSION_US
        elif was_shut and value & ONE_SHOT:
            self._due_us = self._last_us + _CONVERSION_US
        elif not was_shut:
            self._due_us = None  # a running conversion is given up

    def read(self, count: int) -> bytes:
        """Return `count` bytes of the register under the pointer; a 16-bit one high byte first."""
        self.live()
        value = self.regs[self.pointer]
        if self.pointer == CONFIG:
            return bytes([value] * count)
        return bytes([value >> 8 & 0xFF if i % 2 == 0 else value & 0xFF for i in range(count)])

    def live(self) -> None:
        """Let the probe warm or cool, and the converter run, up to now."""
        now = self._now_us()
        due = self._due_us
        if due is not None and now >= due:
            if not self.regs[CONFIG] & SHUTDOWN:
                due += (now - due) // _CONVERSION_US * _CONVERSION_US
            self._settle(due)
            self._convert()
            self._due_us = None if self.regs[CONFIG] & SHUTDOWN else due + _CONVERSION_US
        self._settle(now)

    def _convert(self) -> None:
        if self.stuck:
            return
        self._noise = (self._noise * 1664525 + 1013904223) & 0xFFFFFFFF
        dither = ((self._noise >> 8) * (2 * _SPREAD + 1) >> 24) - _SPREAD
        shown_c = self.probe_c - (64 if self.regs[CONFIG] & EXTENDED else 0)
        raw = int(shown_c * 256 + (0.5 if shown_c >= 0 else -0.5)) + dither
        self.regs[TEMPERATURE] = max(-0x8000, min(0x7FFF, raw)) & 0xFFFF
