"""For how long what people entered counts. Afterwards it is unknown, never better. All numbers: proposals to be signed.

The wearable counts by its own rules; these times are what the host shows, and the bound beyond which an observation is
too old to be entered at all.
"""

from typing import Any

from host_agent.people.context_state import Held, State
from host_agent.people.context_values import NONE_VALUES

HOUR_MS = 3_600_000
USUAL_MS = 4 * HOUR_MS
HURRIED_MS = HOUR_MS  # what would reassure, while febrile or masked
MASKING_MS = {"antipyretic": 24 * HOUR_MS, "steroid": 7 * 24 * HOUR_MS}
# Until a clinician signs the end of the episode, or as long as the binding.
WITHOUT_END = ("anticytokine", "fever_earlier", "age_months", "baseline_systolic_mmhg")
RECORD_MS = 7 * 24 * HOUR_MS  # how far back a grade, a death or the end of an episode may be dated
FUTURE_MS = 60_000  # how far an observation may lie ahead of the agent's clock
ENTRY_MS = 10 * 60_000  # from signing an entry to the agent taking it
_STATEMENTS = ("fever_other_cause", "ventilation_not_for_hypoxia")


def would_reassure(key: str, value: Any) -> bool:
    """Whether this value takes concern away: it then counts for a shorter time while there is a fever or a mask."""
    return key in _STATEMENTS or (key in NONE_VALUES and value == NONE_VALUES[key])


def longest_ms(key: str, value: Any) -> int | None:
    """How old an observation may be at most to be of use; None: any age."""
    if value in (True,) and key in MASKING_MS:
        return MASKING_MS[key]
    if key in WITHOUT_END and value is not False:
        return None
    return USUAL_MS


def expires_utc_ms(key: str, held: Held, *, hurried: bool) -> int | None:
    """When this value stops counting; None: it has no end of its own, or was withdrawn."""
    if held.value is None:
        return None
    span_ms = longest_ms(key, held.value)
    if span_ms is None:
        return None
    if hurried and would_reassure(key, held.value):
        span_ms = min(span_ms, HURRIED_MS)
    return held.given.observed_utc_ms + span_ms


def is_hurried(state: State, *, fever_cc: int, sensor_febrile: bool, now_ms: int) -> bool:
    """Febrile or masked: the wearable says so, or an entry that still counts does."""
    if sensor_febrile:
        return True
    for key in ("temperature_cc", "antipyretic", "steroid", "anticytokine"):
        held = state.get(key)
        if held is None or not held.value:
            continue
        until_ms = expires_utc_ms(key, held, hurried=False)
        counts = until_ms is None or now_ms < until_ms
        if counts and (key != "temperature_cc" or held.value >= fever_cc):
            return True
    return False


def case_inputs(state: State, now_ms: int, *, hurried: bool) -> dict[str, Any]:
    """The keys that still count at `now_ms`, as a case of the grader's vocabulary."""
    inputs = {}
    for key, held in state.items():
        until_ms = expires_utc_ms(key, held, hurried=hurried)
        if held.value is not None and (until_ms is None or now_ms < until_ms):
            inputs[key] = held.value
    return inputs
