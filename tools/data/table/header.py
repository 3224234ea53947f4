"""Names of columns as people write them: `Temp (°C)`, `temp_c` and `TEMP [C]` are the same column."""

import re
import unicodedata
from collections.abc import Sequence

_SIGNS = str.maketrans({"%": " pct ", "\N{GREEK SMALL LETTER MU}": "u"})

# the names of a column: the first is the project's own
TEMP_C = (
    "temp_c",
    "temp",
    "temperature",
    "temperature_c",
    "temp_celsius",
    "temperature_celsius",
    "temp_degc",
    "temperatur",
    "temperatur_c",
)
TEMP_F = ("temp_f", "temperature_f", "temp_fahrenheit", "temperature_fahrenheit", "temp_degf")
SPO2_PCT = ("spo2_pct", "spo2", "spo2_percent", "sao2_pct", "sao2")
HR_BPM = ("hr_bpm", "hr", "heart_rate", "heart_rate_bpm", "hr_1_min", "hr_min", "pulse", "pulse_bpm", "pulse_rate",
          "pr", "pr_bpm", "puls", "puls_bpm", "puls_1_min", "pouls", "pouls_bpm", "fc", "fc_bpm")  # fmt: skip
RED = ("red", "rot", "rouge")
INFRARED = ("ir", "infrared", "infrarot", "infrarouge")
PI_PCT = ("pi_pct", "pi", "perfusion_index", "perfusion_index_pct")


def plain(name: str) -> str:
    """A name without case, blanks, brackets and signs: `SpO2 (%)` is `spo2_pct`."""
    text = unicodedata.normalize("NFKD", name).casefold().translate(_SIGNS)
    text = "".join(sign for sign in text if not unicodedata.combining(sign))
    words = re.findall(r"[a-z0-9]+", text)
    # `temp_c (°C)` says its unit twice
    return "_".join(words[:-1] if words[1:] and words[-1] == words[-2] else words)


def fahrenheit_names(names: Sequence[str]) -> tuple[str, ...]:
    """Of columns in degrees Celsius (`device_c`) the names that say Fahrenheit (`device_f`)."""
    return tuple(f"{name[:-2]}_f" for name in names if name.endswith("_c"))


def celsius(fahrenheit: float) -> float:
    """Degrees Celsius, to a ten-thousandth, so that 98.6 is 37."""
    return round((fahrenheit - 32) / 1.8, 4)


def looks_like_fahrenheit(value: float) -> bool:
    """Whether a temperature of a body can only be in Fahrenheit."""
    return 77.0 <= value <= 115.0
