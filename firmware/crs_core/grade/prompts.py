"""Prompts with deadlines: blood pressure, oxygen, and ICE or CAPD, each asked for again and again.

Pure, for the host: nobody can answer a prompt on the wearable. The first is due one interval after monitoring began.
Once a fever was met in the episode the interval is shorter, and the next prompt is due with the fever at the earliest.
"""

# mypy: disable-error-code="type-arg, no-any-return"
# States and cases are bare lists, tuples and dicts: MicroPython has no typing module to say more with.

from crs_core import codes
from crs_core.grade.rules import Rules

# name, keys any of which answers it
PROMPTS = (
    ("blood_pressure", ("context", "blood_pressure", "systolic_mmhg", "map_mmhg")),
    ("oxygen", ("context", "oxygen")),
    ("ice", ("context", "ice", "capd")),
)


def due_ms(answered_ms: int, febrile_since_ms: int | None, rules: Rules) -> int:
    """When the next prompt is due after the last answer, or the start, at `answered_ms`."""
    calm_ms = answered_ms + rules.prompt_ms
    if febrile_since_ms is None:
        return calm_ms
    return min(calm_ms, max(answered_ms + rules.prompt_febrile_ms, febrile_since_ms))


def look(answered: dict, start_ms: int, febrile_since_ms: int | None, now_ms: int, rules: Rules) -> tuple:
    """(names due and not yet missed, names missed) at `now_ms`; `answered` is {key of the vocabulary: ms}."""
    due: list = []
    missed: list = []
    for name, keys in PROMPTS:
        last_ms = max([answered.get(key, start_ms) for key in keys])
        late_ms = now_ms - due_ms(last_ms, febrile_since_ms, rules)
        if late_ms >= rules.prompt_grace_ms:
            missed.append(name)
        elif late_ms >= 0:
            due.append(name)
    return due, missed


def oral_due(possible_since_ms: int | None, answered_ms: int | None, now_ms: int, rules: Rules) -> tuple:
    """(due, missed) of "take an oral temperature now": at once when fever is possible, then again while it is.

    `answered_ms`: the newest reading by hand, None before the first.
    """
    if possible_since_ms is None:
        return False, False
    due_ms = possible_since_ms
    if answered_ms is not None and answered_ms >= possible_since_ms:
        due_ms = answered_ms + rules.prompt_possible_ms
    return now_ms >= due_ms, now_ms - due_ms >= rules.prompt_grace_ms


def missed_priority(missed: list, febrile_since_ms: int | None) -> int:
    """Priority of PROMPT_MISSED: LOW before a fever was met, MEDIUM after; 0 when none was missed."""
    if not missed:
        return codes.PRIORITY_NONE
    return codes.PRIORITY_LOW if febrile_since_ms is None else codes.PRIORITY_MEDIUM
