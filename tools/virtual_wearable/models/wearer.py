"""Who wears the wearable: the true values behind everything the sensors see.

A wearer has three methods; t_s is simulated time in seconds (see models/README.md):
`optical(t_s)` -> (spo2_pct, hr_bpm, pi_pct), or None when the optical probe sees no skin;
`skin_c(t_s)` -> temperature in degrees Celsius at the thermometer's site, or None when it touches nobody;
`ambient_c(t_s)` -> temperature of the room in degrees Celsius.
"""

from math import pi, sin

AMBIENT_MEAN_C = 27.5  # a strap lying on a bed in a warm ward: between 25 and 30
AMBIENT_SWING_C = 1.0
AMBIENT_PERIOD_S = 900.0


def ward_c(t_s: float) -> float:
    """Room temperature: slow swing of the air conditioning around AMBIENT_MEAN_C."""
    return AMBIENT_MEAN_C + AMBIENT_SWING_C * sin(2 * pi * t_s / AMBIENT_PERIOD_S)


class StillWearer:
    """A wearer whose values are attributes that a test sets; None takes a probe off."""

    def __init__(
        self,
        temp_c: "float | None" = 37.0,
        spo2_pct: "float | None" = 97.0,
        hr_bpm: "float | None" = 75.0,
        pi_pct: float = 1.5,
    ) -> None:
        self.temp_c = temp_c
        self.spo2_pct = spo2_pct
        self.hr_bpm = hr_bpm
        self.pi_pct = pi_pct

    def optical(self, t_s: float) -> "tuple[float, float, float] | None":
        """Return (spo2_pct, hr_bpm, pi_pct), or None when either value is None: no light without both."""
        if self.spo2_pct is None or self.hr_bpm is None:
            return None
        return self.spo2_pct, self.hr_bpm, self.pi_pct

    def skin_c(self, t_s: float) -> "float | None":
        """Return the temperature at the site, or None when off."""
        return self.temp_c

    def ambient_c(self, t_s: float) -> float:
        """Return the room's temperature."""
        return ward_c(t_s)
