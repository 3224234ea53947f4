"""The bytes of the Bluetooth SIG's health characteristics, from our integers.

Sources: ISO/IEEE 11073-20601 FLOAT and SFLOAT; GATT Specification Supplement: Temperature Measurement (0x2A1C),
PLX Continuous Measurement (0x2A5F), PLX Features (0x2A60), Date Time (0x2A08), Current Time (0x2A2B). Little-endian.
"""

import struct

from crs_core import units
from crs_core.compat import const

_FLOAT_NAN = const(0x007FFFFF)
_SFLOAT_NAN = const(0x07FF)
_MANTISSA_MAX = const(2045)  # of an SFLOAT; above stand NaN, infinity and the reserved codes
_HAS_TIME = const(2)
_HAS_TYPE = const(4)
# units.SITES -> Temperature Type (0x2A1D): armpit, mouth, tympanum, rectum, body; skin has none of its own: body
_TYPES = b"\x02\x01\x06\x09\x07\x02\x02"
_HAS_STATUS = const(4)
_HAS_SENSOR_STATUS = const(8)
_HAS_PULSE_AMPLITUDE = const(16)
PLX_FEATURES = struct.pack("<HHHB", 0x43, 0x6480, 0xCFE8, 0)  # what the two status fields can say, below

_VALIDATED = const(1 << 7)
_DEMONSTRATION = const(1 << 10)
_UNAVAILABLE = const(1 << 13)
_QUESTIONABLE = const(1 << 14)
# device and sensor status by ppg_state
_SENSOR_BITS = {
    units.PPG_ABSENT: 1 << 15,  # sensor disconnected
    units.PPG_NO_CONTACT: 1 << 11,  # sensor unconnected to user
    units.PPG_SETTLING: 1 << 9,  # signal analysis ongoing
    units.PPG_LOW_PERFUSION: 1 << 5,
    units.PPG_MOTION: 1 << 6,  # erratic signal
    units.PPG_IRREGULAR: 1 << 8,  # questionable pulse
    units.PPG_SATURATED: 1 << 10,  # sensor interference
    units.PPG_SWAPPED: 1 << 14,  # sensor malfunctioning
    units.PPG_STALE: 1 << 3,  # inadequate signal
    units.PPG_NO_PULSE: 1 << 7,  # nonpulsatile signal
    units.PPG_RESTING: 1 << 9,
}


def encode_float(value: int | None, exponent: int) -> bytes:
    """FLOAT of value x 10^exponent: 24-bit mantissa, 8-bit exponent; None is NaN."""
    if value is None:
        return struct.pack("<I", _FLOAT_NAN)
    return struct.pack("<I", value & 0xFFFFFF | (exponent & 0xFF) << 24)


def encode_sfloat(value: int | None, exponent: int) -> bytes:
    """SFLOAT of value x 10^exponent: 12-bit mantissa, 4-bit exponent; digits that do not fit are cut; None is NaN."""
    if value is None:
        return struct.pack("<H", _SFLOAT_NAN)
    while value > _MANTISSA_MAX or value < -_MANTISSA_MAX:
        value //= 10
        exponent += 1
    return struct.pack("<H", value & 0xFFF | (exponent & 0xF) << 12)


def temperature(temp_cc: int | None, site: int, utc_ms: int | None) -> bytes:
    """Temperature Measurement in degrees Celsius with two decimals; None is NaN: no value, and not the last one."""
    flags = _HAS_TYPE if utc_ms is None else _HAS_TYPE | _HAS_TIME
    when = b"" if utc_ms is None else date_time(utc_ms)
    return bytes([flags]) + encode_float(temp_cc, -2) + when + temperature_type(site)


def temperature_type(site: int) -> bytes:
    """Temperature Type of an index into units.SITES."""
    return _TYPES[site : site + 1]


def oximeter(
    spo2_tenths: int | None, hr_bpm: int | None, pi_hundredths: int | None, status: int, simulated: bool
) -> bytes:
    """PLX Continuous Measurement: values only when they are valid, and why not otherwise."""
    state = units.ppg_state_of(status)
    measurement = _VALIDATED
    if state != units.PPG_VALID:
        measurement = _UNAVAILABLE
        if state in (units.PPG_MOTION, units.PPG_IRREGULAR):
            measurement = _UNAVAILABLE | _QUESTIONABLE
        spo2_tenths = hr_bpm = None
    if simulated:
        measurement |= _DEMONSTRATION
    sensor = _SENSOR_BITS.get(state, 0)
    flags = _HAS_STATUS | _HAS_SENSOR_STATUS
    amplitude = b""
    if pi_hundredths is not None:
        flags |= _HAS_PULSE_AMPLITUDE
        amplitude = encode_sfloat(pi_hundredths, -2)
    head = bytes([flags]) + encode_sfloat(spo2_tenths, -1) + encode_sfloat(hr_bpm, 0)
    return head + struct.pack("<HHB", measurement, sensor & 0xFFFF, sensor >> 16) + amplitude


def date_time(utc_ms: int) -> bytes:
    """Date Time in UTC: year u16, month, day, hours, minutes, seconds."""
    seconds = utc_ms // 1000
    # days to civil date: the calendar's 400 years have 146 097 days; a year that begins in March ends with the leap day
    days = seconds // 86400 + 719468
    era = days // 146097
    of_era = days - era * 146097
    year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month += 3 if month < 10 else -9
    year += era * 400 + (1 if month <= 2 else 0)
    return struct.pack("<HBBBBB", year, month, day, seconds // 3600 % 24, seconds // 60 % 60, seconds % 60)


def current_time(utc_ms: int) -> bytes:
    """Current Time in UTC: Date Time, weekday (Monday 1), 1/256 s, why it was adjusted (0)."""
    weekday = (utc_ms // 86_400_000 + 3) % 7 + 1
    return date_time(utc_ms) + bytes([weekday, utc_ms % 1000 * 256 // 1000, 0])
