"""For how long what people entered counts: by the rules of the grader, for host and wearable alike.

Afterwards it is unknown, never better. This module holds only the bounds beyond which an observation is refused.
"""

from typing import Any

from crs_core.grade import entries
from crs_core.grade.rules import DEFAULT, Rules

from host_agent.people.context_state import Held

# However old, it says something about now.
OF_ANY_AGE = ("anticytokine", "fever_earlier", "age_months", "baseline_systolic_mmhg")
RECORD_MS = 7 * 24 * 3_600_000  # how far back a grade, a death or the end of an episode may be dated
FUTURE_MS = 60_000  # how far an observation may lie ahead of the agent's clock
ENTRY_MS = 10 * 60_000  # from signing an entry to the agent taking it


def is_time_known(observed_utc_ms: int, now_ms: int) -> bool:
    """Whether an observation does not lie ahead: else a clock was wrong when it was entered, or is wrong now."""
    return observed_utc_ms <= now_ms + FUTURE_MS


def oldest_ms(key: str, value: Any, rules: Rules = DEFAULT) -> int | None:
    """How old an observation may be to be entered at all; None: any age.

    A reading by hand may be older than a present fever: it was one.
    """
    if key in OF_ANY_AGE and value is not False:
        return None
    counts_ms: int | None = None if value is None else entries.counts_ms(key, value, False, rules)
    usual_ms: int = rules.entry_ms
    return max(usual_ms, counts_ms or 0)


def expires_utc_ms(key: str, held: Held, *, is_at_risk: bool, rules: Rules = DEFAULT) -> int | None:
    """The last moment at which this value counts; None: it has no end of its own, or was withdrawn."""
    if held.value is None:
        return None
    span_ms = entries.counts_ms(key, held.value, is_at_risk, rules)
    return None if span_ms is None else held.given.observed_utc_ms + span_ms
