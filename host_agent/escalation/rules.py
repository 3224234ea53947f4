"""When something new must reach a person: pure functions over what the records say.

Every rise is an event: an alarm above its priority before, or a lower bound of the grade above the highest one of its
episode. A fall, an end, a repetition and a change to unknown are no events: they only change the episode.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from crs_core.codes import PRIORITY_HIGH, PRIORITY_MEDIUM

from host_agent.text import HIGHEST_COMPUTED


class Span(NamedTuple):
    """One episode of one alarm, from its first raise to its end. `priority` is the present one, 0 after the end."""

    first_seq: int
    last_seq: int
    priority: int
    peak: int


def raised(changes: Sequence[tuple[int, int]], before: Mapping[int, int]) -> list[tuple[int, int]]:
    """The (alarm, priority) pairs above `before`, the priorities that the same record gives for the time before it.

    Each record is judged by itself, so lost, late and reordered records do not change the answer.
    """
    return [(alarm, priority) for alarm, priority in changes if priority > before.get(alarm, 0)]


def spans(changes: Sequence[tuple[int, int]]) -> list[Span]:
    """The episodes in the (seq, priority) changes of one alarm, sorted by seq."""
    out: list[Span] = []
    for seq, priority in changes:
        if out and out[-1].priority > 0:
            last = out[-1]
            out[-1] = Span(last.first_seq, seq, priority, max(last.peak, priority))
        elif priority > 0:
            out.append(Span(seq, seq, priority, priority))
    return out


def is_grade_rise(peak: int, lower: int | None) -> bool:
    """Whether this lower bound of the ASTCT grade is an event; None (not gradable) never is, and ends nothing.

    Grade 5 is death and has no path from sensors: a record that claims it is no grade, and the re-run disagrees.
    """
    return lower is not None and peak < lower <= HIGHEST_COMPUTED


def grade_priority(lower: int) -> int:
    """Priority of a grade rise: MEDIUM up to grade 1, HIGH above (a proposal that a clinician must sign)."""
    return int(PRIORITY_MEDIUM if lower <= 1 else PRIORITY_HIGH)
