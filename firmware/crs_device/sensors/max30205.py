"""MAX30205 thermometer: set-up, and one conversion at a time.

    chip = Max30205(Bus(i2c))
    chip.start()  # OSError: no chip, another chip, or one that does not keep its set-up
    temp_cc = chip.read_cc()  # about once a second; 3712 is 37.12 °C, None at the first call

Source: Maxim MAX30205 data sheet (19-8505 rev 0), register map. A conversion takes 44 ms, 50 at most. One-shot
conversions out of shutdown draw 600 µA only while they run, so the chip hardly warms itself. It has no data-ready flag
and no part id: it is known by the power-on values of its two limit registers, which nothing here changes.
"""

from crs_core.compat import const

ADDRESS = const(0x48)  # A0, A1 and A2 to ground

# Registers, high byte first
_TEMPERATURE = const(0x00)  # 16 bits, two's complement, 1/256 °C
_CONFIGURATION = const(0x01)  # 8 bits
_T_HYST = const(0x02)  # 16 bits
_T_OS = const(0x03)  # 16 bits

# Bits of the configuration
_ONE_SHOT = const(0x80)  # bit 7 starts a conversion out of shutdown and reads back as 0
_SHUTDOWN = const(0x19)  # bit 0; a fault queue of 6 (bits 4:3) is unused, but differs from the power-on value

_T_HYST_POWER_ON = const(0x4B00)  # 75 °C
_T_OS_POWER_ON = const(0x5000)  # 80 °C

_COARSE_BITS = const(0x1F)  # always 0 in the parts with the same registers that resolve 0.125 °C or less
_COARSE_N = const(30)  # conversions; a live MAX30205 never shows that many coarse codes in a row


class Max30205:
    """One chip on a Bus. `start()` first; then `read_cc()` about once a second, never within 50 ms."""

    def __init__(self, bus) -> None:  # type: ignore[no-untyped-def]
        self._bus = bus
        self._is_due = False  # a conversion was started in an earlier call
        self._coarse = 0
        self.code = 0  # raw 16-bit code of the last conversion

    def identify(self) -> int:
        """Both limits, read without side effects. OSError: no answer, or another part."""
        bus = self._bus
        hyst = bus.read_u16(ADDRESS, _T_HYST)
        over = bus.read_u16(ADDRESS, _T_OS)
        if hyst != _T_HYST_POWER_ON or over != _T_OS_POWER_ON:
            raise OSError("not a MAX30205: limits 0x%04x%04x" % (hyst, over))
        return hyst << 16 | over  # type: ignore[no-any-return]

    def start(self) -> None:
        """Check the part and set one-shot mode. OSError: missing, another part, or not kept."""
        self._is_due = False
        self.identify()
        bus = self._bus
        bus.write_u8(ADDRESS, _CONFIGURATION, _SHUTDOWN)
        if bus.read_u8(ADDRESS, _CONFIGURATION) != _SHUTDOWN:
            raise OSError("thermometer: set-up did not take")

    def read_cc(self) -> int | None:
        """The conversion that the last call started, in 0.01 °C, rounded; None at the first call.

        OSError: no answer, set-up lost, or a part that only looks like a MAX30205.
        """
        bus = self._bus
        config = bus.read_u8(ADDRESS, _CONFIGURATION)
        if config != _SHUTDOWN:
            raise OSError("thermometer: set-up lost (0x%02x)" % config)
        code = bus.read_u16(ADDRESS, _TEMPERATURE)
        bus.write_u8(ADDRESS, _CONFIGURATION, _SHUTDOWN | _ONE_SHOT)
        if not self._is_due:
            self._is_due = True
            return None
        self._coarse = 0 if code & _COARSE_BITS else min(self._coarse + 1, _COARSE_N)
        if self._coarse >= _COARSE_N:
            raise OSError("thermometer: only steps of 0.125 °C, not a MAX30205")
        self.code = code
        if code >= 0x8000:
            code -= 0x10000
        return (code * 25 + 32) >> 6  # 100 / 256


DRIVER = Max30205
