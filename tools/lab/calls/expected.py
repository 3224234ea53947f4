"""What must be true of one alarm, worked out plainly: for how long nobody accepted it, and what follows from that.

It knows nothing of steps, timers, stores and clocks: only of the seconds that really passed.
"""

from crs_core.codes import PRIORITY_HIGH, PRIORITY_MEDIUM

from host_agent.escalation.contact.plan import Plan
from host_agent.people.accepting import ACCEPTANCE_MS


class ExpectedAlarm:
    """One alarm of the wearable; times in seconds that really passed."""

    def __init__(self, plan: Plan) -> None:
        self._within_s = plan.accept_within_ms / 1000
        self._rises_s = plan.medium_to_high_ms / 1000
        self.priority = 0
        self.level = 0
        self.is_unreached = False
        self.is_accepted = False
        self._unaccepted_s = 0.0
        self._lapses_s = 0.0
        self._now_s = 0.0
        self._changed_s = -1e9

    def journal(self, priority: int) -> None:
        """The wearable journals this priority now."""
        if priority > self.priority:
            is_rise = self.priority > 0
            self.level = max(self.level, priority) if is_rise else priority
            self.is_unreached = self.is_unreached and is_rise
            self.is_accepted = False
            self._unaccepted_s = 0.0
        elif priority == 0:
            self.level, self.is_unreached, self.is_accepted = 0, False, False
        self.priority = priority
        self._changed_s = self._now_s

    def accept(self, priority: int) -> None:
        """A person accepts it up to this priority."""
        if 0 < self.priority <= priority:
            self.is_accepted, self.is_unreached = True, False
            self._lapses_s = self._now_s + ACCEPTANCE_MS[priority] / 1000
            self._changed_s = self._now_s

    def to(self, now_s: float) -> None:
        """Time passes."""
        while (at_s := self.next_change_s()) is not None and at_s <= now_s:
            self._unaccepted_s += 0.0 if self.is_accepted else at_s - self._now_s
            self._now_s = self._changed_s = at_s
            if self.is_accepted:
                self.is_accepted = False
                continue
            if self.level == PRIORITY_MEDIUM:
                self.level = PRIORITY_HIGH
            else:
                self.is_unreached = True
            self._unaccepted_s = 0.0
        self._unaccepted_s += 0.0 if self.is_accepted else now_s - self._now_s
        self._now_s = now_s

    def next_change_s(self) -> float | None:
        """When something changes by itself, None: never."""
        if self.priority == 0 or (self.level < PRIORITY_MEDIUM and not self.is_accepted):
            return None
        if self.is_accepted:
            return self._lapses_s
        span_s = self._rises_s if self.level == PRIORITY_MEDIUM else self._within_s
        return self._now_s + span_s - self._unaccepted_s

    def is_settled(self, margin_s: float) -> bool:
        """Whether nothing changes by itself within the margin around now."""
        next_s = self.next_change_s()
        is_near = next_s is not None and next_s - self._now_s < margin_s
        return self._now_s - self._changed_s > margin_s and not is_near
