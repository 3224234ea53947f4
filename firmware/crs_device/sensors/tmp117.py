"""TMP117 thermometer: set-up and one conversion at a time.

Source: Texas Instruments TMP117 data sheet, register map. 7.8125 m°C per code, two's complement; continuous
conversion, 8 averaged, one result per second. Reading the configuration or the result clears the data-ready flag,
so each conversion is seen exactly once.
"""

from crs_core.compat import const

ADDRESS = const(0x48)
PART_ID = const(0x0117)

_REG_RESULT = const(0x00)
_REG_CONFIG = const(0x01)
_REG_PART_ID = const(0x0F)
_CONTINUOUS_1S_8AVG = const(0x0220)
_CONFIG_MASK = const(0x0FFC)  # mode, cycle, averaging, pin functions: what we wrote and must read back
_DATA_READY = const(0x2000)
_NO_RESULT = const(0x8000)  # the result register before the first conversion


class Tmp117:
    """One chip on a Bus. `start()` first; then `read_cc()` about once a second."""

    def __init__(self, bus) -> None:  # type: ignore[no-untyped-def]
        self._bus = bus
        self.code = 0  # raw 16-bit code of the last conversion

    def start(self) -> None:
        """Check the part and set one averaged conversion per second. OSError: missing, another part, or not kept."""
        bus = self._bus
        part = bus.read_u16(ADDRESS, _REG_PART_ID)
        if part & 0x0FFF != PART_ID:  # the upper four bits are the revision
            raise OSError("thermometer: part id 0x%04x, expected 0x%04x" % (part, PART_ID))
        bus.write_u16(ADDRESS, _REG_CONFIG, _CONTINUOUS_1S_8AVG)
        if bus.read_u16(ADDRESS, _REG_CONFIG) & _CONFIG_MASK != _CONTINUOUS_1S_8AVG:
            raise OSError("thermometer: set-up did not take")

    def read_cc(self) -> int | None:
        """The new conversion in 0.01 °C, rounded; None when there is none yet. OSError: no answer, or set-up lost."""
        bus = self._bus
        config = bus.read_u16(ADDRESS, _REG_CONFIG)
        if config & _CONFIG_MASK != _CONTINUOUS_1S_8AVG:
            raise OSError("thermometer: set-up lost (0x%04x)" % config)
        if not config & _DATA_READY:
            return None
        code = bus.read_u16(ADDRESS, _REG_RESULT)
        if code == _NO_RESULT:
            return None
        self.code = code
        if code >= 0x8000:
            code -= 0x10000
        return (code * 25 + 16) >> 5
