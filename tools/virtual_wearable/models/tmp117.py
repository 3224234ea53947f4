"""Register model of the TMP117 thermometer (datasheet SNOSD82) pressed against skin, or lying in the room.

Resolution 7.8125 m°C; conversion cycle and averaging by the configuration; Data_Ready falls when the temperature
or the configuration is read.
"""

from tools.virtual_wearable.models.probe import Probe

ADDRESS = 0x48
TEMPERATURE, CONFIG, HIGH_LIMIT, LOW_LIMIT, EEPROM_UNLOCK, OFFSET, DEVICE_ID = 0, 1, 2, 3, 4, 7, 0x0F
DATA_READY = 0x2000
_CONFIG_POR = 0x0220  # continuous, 1 s cycle, 8 averages
_EEPROM = (5, 6, 8)
_AVERAGES = (1, 8, 32, 64)
_CONVERSION_US = 15500
_CYCLES_US = (15500, 125000, 250000, 500000, 1000000, 4000000, 8000000, 16000000)


class Tmp117(Probe):
    """The chip and its thermal surroundings."""

    def __init__(self, wearer, now_us, seed: int = 7) -> None:
        super().__init__(wearer, now_us)
        self.stuck = False  # fault: the converter repeats its last result for ever
        self._noise = seed & 0xFFFFFFFF
        self.pointer = 0
        self._power_on()

    def _power_on(self) -> None:
        self.regs = [0] * 16
        self.regs[TEMPERATURE] = 0x8000  # until the first conversion: -256 °C
        self.regs[HIGH_LIMIT] = 0x6000
        self.regs[LOW_LIMIT] = 0x8000
        self.regs[DEVICE_ID] = 0x0117
        self.regs[CONFIG] = _CONFIG_POR
        self._due_us = self._last_us + self._active_us()

    def _active_us(self) -> int:
        return _CONVERSION_US * _AVERAGES[self.regs[CONFIG] >> 5 & 3]

    def _cycle_us(self) -> int:
        return max(self._active_us(), _CYCLES_US[self.regs[CONFIG] >> 7 & 7])

    def _mode(self) -> int:
        return self.regs[CONFIG] >> 10 & 3  # 0 and 2 continuous, 1 shutdown, 3 one shot

    def write(self, data: bytes) -> None:
        """Take one write transaction: pointer, then optionally one 16-bit value, high byte first."""
        self.live()
        if not data:
            return
        self.pointer = data[0] & 0x0F
        if len(data) >= 3:
            self._store(self.pointer, data[1] << 8 | data[2])

    def read(self, count: int) -> bytes:
        """Return `count` bytes of the register under the pointer, high byte first; it repeats beyond two."""
        self.live()
        value = self.regs[self.pointer]
        if self.pointer in (TEMPERATURE, CONFIG):
            self.regs[CONFIG] &= ~DATA_READY
        return bytes([value >> 8 & 0xFF if i % 2 == 0 else value & 0xFF for i in range(count)])

    def _store(self, reg: int, value: int) -> None:
        if reg == CONFIG:
            if value & 0x0002:
                self._power_on()
                return
            self.regs[CONFIG] = (self.regs[CONFIG] & 0xF000) | (value & 0x0FFC)
            self._due_us = self._last_us + self._active_us()
        elif reg in (HIGH_LIMIT, LOW_LIMIT, OFFSET, EEPROM_UNLOCK) or reg in _EEPROM:
            self.regs[reg] = value

    def live(self) -> None:
        """Let the probe warm or cool, and the converter run, up to now."""
        now = self._now_us()
        mode = self._mode()
        if mode == 1 or now < self._due_us:
            self._settle(now)
            return
        cycle = self._cycle_us()
        whole = 0 if mode == 3 else (now - self._due_us) // cycle
        self._settle(self._due_us + whole * cycle)  # only the newest result can still be read
        self._convert()
        self._due_us += (whole + 1) * cycle
        if mode == 3:
            self.regs[CONFIG] = (self.regs[CONFIG] & ~0x0C00) | 0x0400  # back to shutdown
        self._settle(now)

    def _convert(self) -> None:
        if self.stuck:
            self.regs[CONFIG] |= DATA_READY
            return
        self._noise = (self._noise * 1664525 + 1013904223) & 0xFFFFFFFF
        # datasheet: ±3 LSB single, ±1 LSB with 8 averages
        spread = 3 if self._active_us() == _CONVERSION_US else 1
        dither = ((self._noise >> 8) * (2 * spread + 1) >> 24) - spread
        raw = int(self.probe_c * 128 + 0.5) + dither
        offset = self.regs[OFFSET]
        raw += offset - 0x10000 if offset & 0x8000 else offset
        raw = max(-0x8000, min(0x7FFF, raw))
        self.regs[TEMPERATURE] = raw & 0xFFFF
        self.regs[CONFIG] |= DATA_READY
        for limit, flag, above in ((HIGH_LIMIT, 0x8000, True), (LOW_LIMIT, 0x4000, False)):
            edge = self.regs[limit] - 0x10000 if self.regs[limit] & 0x8000 else self.regs[limit]
            if raw > edge if above else raw < edge:
                self.regs[CONFIG] |= flag
            else:
                self.regs[CONFIG] &= ~flag
