"""One alarm step with delays of zero, from a quiet patient: what the tests of single steps stand on."""

from crs_core import codes
from crs_core.grade import alarm_state as st
from crs_core.grade import alarms
from crs_core.grade.rules import DEFAULT, Rules

QUIET = alarms.Inputs(3700, 0, 0, 970, 80, 150, 0, 0, 1, 1, 1, 0, 0, 0)
LOW, MEDIUM, HIGH = codes.PRIORITY_LOW, codes.PRIORITY_MEDIUM, codes.PRIORITY_HIGH
NOW_MS = 100_000
AT_ONCE = DEFAULT._replace(
    fever_delay_ms=0,
    high_temp_delay_ms=0,
    possible_delay_ms=0,
    rise_delay_ms=0,
    spo2_fast_ms=0,
    spo2_slow_ms=0,
    spo2_medium_ms=0,
    hr_delay_ms=0,
    pulse_lost_ms=0,
    spo2_lost_ms=0,
    sensor_fault_ms=0,
    no_data_low_ms=0,
    settling_ms=0,
)


def bound(**slots: int) -> list:
    """A state bound to a patient, one second before NOW_MS."""
    state = alarms.new_state()
    state[st.FLAGS] = st.FLAG_BOUND
    state[st.LAST] = NOW_MS - 1_000
    for name, value in slots.items():
        state[getattr(st, name)] = value
    return state


def raised(rules: Rules = AT_ONCE, state: list | None = None, now_ms: int = NOW_MS, **values: object) -> dict:
    """{alarm: priority} after one step from a quiet bound state."""
    after, changes = alarms.step(state or bound(), QUIET._replace(**values), now_ms, rules)
    said = dict(alarms.active(after))
    if state is None:
        assert dict(changes) == said
    return said
