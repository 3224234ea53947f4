"""Limits that a clinician could sign for one patient, from what the wearable itself read while the patient was well.

A simulated signature: the three saturation limits stand as far below the own resting median as the default ones do
below 97 %, never below 85 %, never above the default. A sensor that reads low, or a low own saturation, then does not
sound all night; what falls by as much as it would have to from 97 % sounds as before.
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
