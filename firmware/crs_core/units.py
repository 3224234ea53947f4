"""A reading: integer units, status bits, sites.

A value that was not measured is `None`, never 0. Units: temp_cc hundredths of a degree Celsius at `site`,
spo2_tenths tenths of a percent, hr_bpm beats per minute, pi_hundredths hundredths of a percent (AC/DC of
infrared), t_ms milliseconds since boot.
"""

from collections import namedtuple

from crs_core.compat import const

# temp_cc is the value at the site: the chip's value plus the calibration's offset. It is kept even when temp_state says
# that it must not be graded.
Reading = namedtuple("Reading", ("t_ms", "temp_cc", "spo2_tenths", "hr_bpm", "pi_hundredths", "status"))

# status, 16 bits: site 0-2, temp_state 3-5, ppg_state 6-9, wear 10-11, charging 12, low battery 13, pause 14, rest 0
SITES = ("none", "axilla", "oral", "tympanic", "rectal", "core", "skin")
SITE_NONE = const(0)
SITE_AXILLA = const(1)
SITE_ORAL = const(2)
SITE_TYMPANIC = const(3)
SITE_RECTAL = const(4)
SITE_CORE = const(5)
SITE_SKIN = const(6)

TEMP_VALID = const(0)
TEMP_ABSENT = const(1)  # no sensor, bus fault
TEMP_OFF_BODY = const(2)
TEMP_SETTLING = const(3)
TEMP_OUT_OF_RANGE = const(4)  # outside 25.00-45.00
TEMP_STALE = const(5)
TEMP_FLAT = const(6)  # bit-identical for too long: a stuck converter
TEMP_ARTEFACT = const(7)  # on the body, but not the body's temperature: an open arm, a slipped probe, chill

PPG_VALID = const(0)
PPG_ABSENT = const(1)
PPG_NO_CONTACT = const(2)
PPG_SETTLING = const(3)
PPG_LOW_PERFUSION = const(4)
PPG_MOTION = const(5)
PPG_IRREGULAR = const(6)
PPG_SATURATED = const(7)
PPG_SWAPPED = const(8)
PPG_STALE = const(9)
PPG_NO_PULSE = const(10)  # in contact, nothing pulsatile
# The light is off by plan for some seconds: no value, and contact and pulse are not known.
PPG_RESTING = const(11)

WEAR_UNKNOWN = const(0)
WEAR_WORN = const(1)
WEAR_OFF = const(2)

STATUS_CHARGING = const(1 << 12)
STATUS_LOW_BATTERY = const(1 << 13)
STATUS_PAUSED = const(1 << 14)  # a planned pause runs

TEMP_MIN_CC = const(2500)  # a value outside is a code or a fault, not a body
TEMP_MAX_CC = const(4500)
SPO2_MIN_TENTHS = const(500)
SPO2_MAX_TENTHS = const(1000)
HR_MIN_BPM = const(20)
HR_MAX_BPM = const(300)


def make_status(site: int, temp_state: int, ppg_state: int, wear: int, flags: int = 0) -> int:
    """Pack the 16-bit status word of a reading."""
    return site | temp_state << 3 | ppg_state << 6 | wear << 10 | flags


def site_of(status: int) -> int:
    """Index into SITES."""
    return status & 7


def temp_state_of(status: int) -> int:
    """One of TEMP_*."""
    return status >> 3 & 7


def ppg_state_of(status: int) -> int:
    """One of PPG_*."""
    return status >> 6 & 15


def wear_of(status: int) -> int:
    """One of WEAR_*."""
    return status >> 10 & 3
