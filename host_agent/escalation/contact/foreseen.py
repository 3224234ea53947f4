"""What the plan would do about an event: the policy on an imagined clock, without store, receivers or sending."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from host_agent.escalation.contact.course import Action, Course, Event, Now, Passed
from host_agent.escalation.contact.plan import Plan
from host_agent.escalation.contact.policy import decide, next_due_ms


class Foreseen(NamedTuple):
    """One action at `utc_ms`; `after_ms` counts from the begin of the event."""

    utc_ms: int
    after_ms: int
    action: Action


def foresee(
    plan: Plan, happens: Sequence[tuple[int, Event]], *, at_utc_ms: int, for_ms: int
) -> Iterator[Foreseen]:
    """What follows from `happens`, (ms after `at_utc_ms`, event) in order, until `for_ms` after it."""
    course = Course()
    waiting = list(happens)
    while True:
        due_ms = next_due_ms(course)
        moments = [waiting[0][0]] if waiting else []
        moments += [] if due_ms is None else [due_ms - at_utc_ms]
        if not moments or min(moments) > for_ms:
            return
        after_ms = min(moments)
        event: Event = Passed()
        if waiting and waiting[0][0] <= after_ms:
            event = waiting.pop(0)[1]
        now = Now(at_utc_ms + after_ms, at_utc_ms + after_ms)
        course, actions, _ = decide(plan, course, event, now)
        for action in actions:
            yield Foreseen(now.utc_ms, after_ms, action)
