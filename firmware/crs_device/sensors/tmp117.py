"""TMP117 thermometer: set-up, and each conversion once.

    chip = Tmp117(Bus(i2c))
    chip.start()  # OSError: no chip, another chip, or one that does not keep its set-up
    temp_cc = chip.read_cc()  # about once a second; 3712 is 37.12 °C, None: no new conversion

Source: Texas Instruments TMP117 data sheet, "Register Map"; names in quotes are its headings. The chip converts
continuously: 8 conversions averaged, one result each second. Reading the result or the configuration clears the
data-ready flag, so each conversion is seen exactly once.
"""

from crs_core.compat import const

ADDRESS = const(0x48)  # ADD0 to ground

# Registers of 16 bits, high byte first
_TEMP_RESULT = const(0x00)  # "Temperature Register": two's complement, 1/128 °C
_CONFIGURATION = const(0x01)  # "Configuration Register"
_DEVICE_ID = const(0x0F)  # "Device ID Register": 15:12 revision, 11:0 part

# Bits of the configuration
_DATA_READY = const(0x2000)  # bit 13
_CONTINUOUS_1S_8AVG = const(0x0220)  # 11:10 MOD 00 continuous, 9:7 CONV 100 each second, 6:5 AVG 01 of 8
_WRITABLE = const(0x0FFC)  # mode, cycle, averaging, pin functions: what we wrote and must read back

_NO_RESULT = const(0x8000)  # what the result register holds before the first conversion
_PART_ID = const(0x0117)
_PART_ID_MASK = const(0x0FFF)


class Tmp117:
    """One chip on a Bus. `start()` first; then `read_cc()` about once a second."""

    def __init__(self, bus) -> None:  # type: ignore[no-untyped-def]
        self._bus = bus
        self.code = 0  # raw 16-bit code of the last conversion

    def identify(self) -> int:
        """The device id with the revision, read without side effects. OSError: no answer, or another part."""
        part = self._bus.read_u16(ADDRESS, _DEVICE_ID)
        if part & _PART_ID_MASK != _PART_ID:
            raise OSError("not a TMP117: part id 0x%04x, expected 0x%04x" % (part, _PART_ID))
        return part  # type: ignore[no-any-return]

    def start(self) -> None:
        """Check the part and set one averaged conversion per second. OSError: missing, another part, or not kept."""
        self.identify()
        bus = self._bus
        bus.write_u16(ADDRESS, _CONFIGURATION, _CONTINUOUS_1S_8AVG)
        if bus.read_u16(ADDRESS, _CONFIGURATION) & _WRITABLE != _CONTINUOUS_1S_8AVG:
            raise OSError("thermometer: set-up did not take")

    def read_cc(self) -> int | None:
        """The new conversion in 0.01 °C, rounded; None when there is none yet. OSError: no answer, or set-up lost."""
        bus = self._bus
        config = bus.read_u16(ADDRESS, _CONFIGURATION)
        if config & _WRITABLE != _CONTINUOUS_1S_8AVG:
            raise OSError("thermometer: set-up lost (0x%04x)" % config)
        if not config & _DATA_READY:
            return None
        code = bus.read_u16(ADDRESS, _TEMP_RESULT)
        if code == _NO_RESULT:
            return None
        self.code = code
        if code >= 0x8000:
            code -= 0x10000
        return (code * 25 + 16) >> 5  # 100 / 128


DRIVER = Tmp117
