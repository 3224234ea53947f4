"""The result of one step of the wearable's grader."""

from collections import namedtuple

# lower, upper: 0..4, or None and None when not gradable. fever, status, reasons, missing: numbers of crs_core.codes.
# *_age_ms: age of the newest usable value, None = never or not known since a boot.
Assessment = namedtuple(
    "Assessment",
    (
        "scale",
        "version",
        "lower",
        "upper",
        "fever",
        "status",
        "reasons",
        "missing",
        "temp_age_ms",
        "ppg_age_ms",
    ),
)
