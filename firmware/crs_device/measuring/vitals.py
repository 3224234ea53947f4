"""What is known about the wearer in one second; `NOTHING` when nothing is known."""

from collections import namedtuple

from crs_core.units import PPG_ABSENT, TEMP_ABSENT, WEAR_UNKNOWN

# units and states as in crs_core.units; ages are ms since the value was taken, None without one
Vitals = namedtuple(
    "Vitals",
    (
        "temp_cc", "temp_state", "temp_age_ms", "spo2_tenths", "hr_bpm", "pi_hundredths", "ppg_state", "ppg_age_ms",
        "wear",
    ),
)  # fmt: skip
NOTHING = Vitals(None, TEMP_ABSENT, None, None, None, None, PPG_ABSENT, None, WEAR_UNKNOWN)
