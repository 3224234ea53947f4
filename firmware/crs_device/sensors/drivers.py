"""Which thermometer is on the board: both sit at address 0x48, so the registers say."""

from crs_core.compat import const

_ADDRESS = const(0x48)
_TMP117 = const(0x0117)


def fitted(bus, offset_cc: int = 0):  # type: ignore[no-untyped-def]
    """The driver of the thermometer that answers, not started yet, corrected by `offset_cc` of its calibration.

    OSError: none answers, or one that is neither.
    """
    chip = _answering(bus)
    if not offset_cc:
        return chip
    from crs_device.sensors.corrected import Corrected

    return Corrected(chip, offset_cc)


def _answering(bus):  # type: ignore[no-untyped-def]
    try:
        part = bus.read_u16(_ADDRESS, 0x0F)  # the MAX30205 has no such register and may refuse it
    except OSError:
        part = 0
    if part & 0x0FFF == _TMP117:
        from crs_device.sensors.tmp117 import Tmp117

        return Tmp117(bus)
    if bus.read_u16(_ADDRESS, 0x02) == 0x4B00 and bus.read_u16(_ADDRESS, 0x03) == 0x5000:
        from crs_device.sensors.max30205 import Max30205

        return Max30205(bus)
    raise OSError("thermometer: part id 0x%04x, neither a TMP117 nor a MAX30205" % part)
