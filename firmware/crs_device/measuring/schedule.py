"""When the light of the optical sensor may rest: for some seconds at a time, while nothing speaks for measuring.

The dark time is worked out from the rules, so that no alarm comes later than stated: at most 90 s from
the true crossing for HIGH and 150 s for MEDIUM. A rule with a longer delay shortens it, down to none.
"""

from crs_core.compat import const
from crs_core.grade import alarm_state, grader
from crs_core.codes import FEVER_NOT_MET, PRIORITY_LOW
from crs_core.units import PPG_VALID

TOTAL_HIGH_MS = const(90_000)  # what is stated (tests/hazards.md, A1)
TOTAL_MEDIUM_MS = const(150_000)
# A fall shows within this time (tests/device/signal). One that began so shortly before the dark shows only after it.
SEEN_MS = const(5_000)
FIRST_VALUE_MS = const(6_000)  # from light on: 4 s of pulse, the onset, one drain, one step
GAP_MS = const(5_000)  # one gap in the samples at the worst moment: the chain starts again
STEP_MS = const(1_000)
DARK_MIN_MS = const(5_000)  # a shorter rest is not worth its settling: then it always measures
CALM_AFTER_MS = const(1_800_000)  # † continuous for 30 min after the last reason
CALM_SPO2_TENTHS = const(940)  # † below: a reason, two percent before the MEDIUM limit ...
_ABOVE_MEDIUM_TENTHS = const(20)  # ... also before one that was signed higher
_VALUES = const(3)  # values in a row, so that the median is one of this light


def dark_ms(rules) -> int:  # type: ignore[no-untyped-def]
    """How long the light may be off under these rules; 0: never."""
    high_ms = max(rules.spo2_fast_ms, rules.spo2_slow_ms, rules.hr_delay_ms, rules.pulse_lost_ms)
    left_ms = min(TOTAL_HIGH_MS - high_ms, TOTAL_MEDIUM_MS - rules.spo2_medium_ms)
    left_ms = (left_ms - SEEN_MS - FIRST_VALUE_MS - GAP_MS - STEP_MS) // 1000 * 1000
    return left_ms if left_ms >= DARK_MIN_MS else 0


class Schedule:
    """`step()` once a second. It starts as after a reason: a restart measures for half an hour at least."""

    def __init__(self, calm_after_ms: int = CALM_AFTER_MS) -> None:
        self._calm_after_ms = calm_after_ms
        self._reason_ms: int | None = None  # the last one
        self._dark_ms: int | None = None  # since when the light is off
        self._values = 0

    def step(self, now_ms: int, inputs, monitor) -> bool:  # type: ignore[no-untyped-def]
        """Whether the light is wanted until the next step, after `inputs` were stepped by `monitor` at `now_ms`."""
        now_ms -= now_ms % 1000  # a step that is some ms late belongs to the same second
        if self._reason_ms is None or _reason(inputs, monitor):
            self._reason_ms = now_ms
        span_ms = dark_ms(monitor.rules)
        if not span_ms or now_ms - self._reason_ms <= self._calm_after_ms:
            self._dark_ms = None
            self._values = 0
            return True
        if self._dark_ms is not None:
            if now_ms - self._dark_ms < span_ms:
                return False
            self._dark_ms = None
            self._values = 0
            return True
        # Without a value there is no rest: loss, movement and a slipping strap keep the light on.
        self._values = self._values + 1 if inputs.ppg_state == PPG_VALID else 0
        if self._values < _VALUES:
            return True
        self._dark_ms = now_ms
        return False


def _reason(inputs, monitor) -> bool:  # type: ignore[no-untyped-def]
    """Whether anything speaks for measuring all the time; an unknown value does."""
    rules = monitor.rules
    if inputs.button or not inputs.bound:
        return True
    if monitor.assessment is None or monitor.assessment.fever != FEVER_NOT_MET:
        return True
    if grader.fever_latched(monitor.grader_state) or alarm_state.delay_runs(monitor.alarm_state):
        return True
    for _, priority in monitor.active:
        if priority > PRIORITY_LOW:
            return True
    if inputs.hr_bpm is not None and inputs.hr_bpm > rules.hr_high_bpm:
        return True
    spo2 = inputs.spo2_tenths
    return spo2 is not None and spo2 < max(CALM_SPO2_TENTHS, rules.spo2_medium_tenths + _ABOVE_MEDIUM_TENTHS)
