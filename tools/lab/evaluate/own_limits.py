"""Limits that a clinician could sign for one patient, from the wearable's readings while the patient was well.

The signature is simulated. The three saturation limits are as far below the patient's own resting median as the default
limits are below 97 %, but never below 85 % and never above the default. So a low own saturation, or a sensor that
reads low, does not sound all night; a fall as deep as one from 97 % to the default limit still sounds.
"""

from statistics import median

from crs_core.grade import rules

from tools.lab.evaluate.body import STEP_S
from tools.lab.evaluate.worn import NONE, Worn

FIRST_S = 86_400
USUAL_TENTHS = 970
LOWEST_TENTHS = 850
_NAMES = ("spo2_fast_tenths", "spo2_slow_tenths", "spo2_medium_tenths")


def signed(worn: Worn, rule_set: rules.Rules) -> rules.Rules:
    """The rules with this patient's limits; unchanged when the first day has no usable saturation."""
    usable = [tenths for tenths in worn.spo2_tenths[: FIRST_S // STEP_S] if tenths != NONE]
    if not usable:
        return rule_set
    below = min(0, int(median(usable)) - USUAL_TENTHS)
    limits = {name: max(LOWEST_TENTHS, getattr(rule_set, name) + below) for name in _NAMES}
    return rules.with_limits(rule_set, limits)
