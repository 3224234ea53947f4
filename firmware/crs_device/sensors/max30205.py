"""MAX30205 thermometer: set-up and one conversion at a time.

Source: Maxim MAX30205 data sheet (19-8505 rev 0), register map. 1/256 °C per code, two's complement; a conversion takes
44 ms, 50 at most. One-shot conversions out of shutdown: 600 µA only while it converts, so it hardly warms itself. The
chip has no data-ready flag and no part id: what it holds after power-on in its two limit registers, which nothing here
changes, is all there is to know it by.
"""

from crs_core.compat import const

ADDRESS = const(0x48)  # A0, A1 and A2 to ground
THYST = const(0x4B00)  # power-on: 75 °C
TOS = const(0x5000)  # power-on: 80 °C

_REG_RESULT = const(0x00)
_REG_CONFIG = const(0x01)
_REG_THYST = const(0x02)
_REG_TOS = const(0x03)
_SHUTDOWN = const(
    0x19
)  # shutdown; the fault queue of 6 is of no use here but differs from the power-on value
_ONE_SHOT = const(0x80)  # reads back as 0
_COARSE_BITS = const(0x1F)  # always 0 in the parts with the same registers that resolve 0.125 °C or less
_COARSE_N = const(30)  # conversions; a live MAX30205 is never that long on such a code


class Max30205:
    """One chip on a Bus. `start()` first; then `read_cc()` about once a second, never within 50 ms."""

    def __init__(self, bus) -> None:  # type: ignore[no-untyped-def]
        self._bus = bus
        self._is_due = False  # a conversion was started in an earlier call
        self._coarse = 0
        self.code = 0  # raw 16-bit code of the last conversion

    def start(self) -> None:
        """Check the limits' power-on values and set one-shot mode. OSError: missing, another part, or not kept."""
        bus = self._bus
        self._is_due = False
        limits = bus.read_u16(ADDRESS, _REG_THYST) << 16 | bus.read_u16(ADDRESS, _REG_TOS)
        if limits != THYST << 16 | TOS:
            raise OSError("thermometer: limits 0x%08x, expected those of a MAX30205" % limits)
        bus.write_u8(ADDRESS, _REG_CONFIG, _SHUTDOWN)
        if bus.read_u8(ADDRESS, _REG_CONFIG) != _SHUTDOWN:
            raise OSError("thermometer: set-up did not take")

    def read_cc(self) -> int | None:
        """The conversion that the last call started, in 0.01 °C, rounded; None at the first. OSError: no answer, set-up
        lost, or a part that only looks like a MAX30205.
        """
        bus = self._bus
        config = bus.read_u8(ADDRESS, _REG_CONFIG)
        if config != _SHUTDOWN:
            raise OSError("thermometer: set-up lost (0x%02x)" % config)
        code = bus.read_u16(ADDRESS, _REG_RESULT)
        bus.write_u8(ADDRESS, _REG_CONFIG, _SHUTDOWN | _ONE_SHOT)
        if not self._is_due:
            self._is_due = True
            return None
        self._coarse = 0 if code & _COARSE_BITS else min(self._coarse + 1, _COARSE_N)
        if self._coarse >= _COARSE_N:
            raise OSError("thermometer: only steps of 0.125 °C, not a MAX30205")
        self.code = code
        if code >= 0x8000:
            code -= 0x10000
        return (code * 25 + 32) >> 6
