"""A journaled alarm step once more, for hosts: what a wearable decided is checked with its own bytes."""

# mypy: disable-error-code="type-arg"
# States are bare lists: MicroPython has no typing module to say more with.

from crs_core.grade.alarm_state import decode_inputs, decode_state, encode_state
from crs_core.grade.alarms import step
from crs_core.grade.rules import Rules


def alarm_step(state_before: bytes, inputs: bytes, now_ms: int, rules: Rules) -> tuple:
    """(encoded state after, changes) of the step at `now_ms`; RemoteError when the bytes cannot be read."""
    after, changes = step(decode_state(state_before, now_ms), decode_inputs(inputs), now_ms, rules)
    return encode_state(after, now_ms), changes
