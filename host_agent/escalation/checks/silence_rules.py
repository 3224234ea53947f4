"""Silence is an alarm that gets louder: what the host raises about data that does not come. Pure rules.

Armed from process start, per enrolled wearable. Times are seconds of the agent's clock (scaled in a simulation).
"""

from typing import NamedTuple

from crs_core.codes import (
    FUTURE_DATA,
    NO_DATA_YET,
    NOT_BACK,
    PRIORITY_HIGH,
    PRIORITY_LOW,
    PRIORITY_MEDIUM,
    STALE_DATA,
)

from host_agent.escalation.checks.check import Finding
from host_agent.text import span_text

UNBOUND, BOUND, ENDED = "unbound", "bound", "ended"
ALL = (NO_DATA_YET, STALE_DATA, FUTURE_DATA, NOT_BACK)
LINK_OPENS_S = 30  # real: HELLO windows and back-off after start-up
LINK_REOPENS_S = 10  # real: back-off after a lost link, a new session after a new journal


class Limits(NamedTuple):
    """From the configuration, in seconds."""

    no_data_yet_s: int
    stale_s: int
    future_s: int
    medium_after_s: int
    high_after_s: int

    def with_real_time_for_links(self, speed: float) -> "Limits":
        """At least the real time that opening a link takes, however fast a simulation runs."""
        return self._replace(
            no_data_yet_s=max(self.no_data_yet_s, round(LINK_OPENS_S * speed)),
            stale_s=max(self.stale_s, round(LINK_REOPENS_S * speed)),
        )


class Facts(NamedTuple):
    """What is known of one wearable. Ages in seconds; None: there was no data.

    `newest_age_s`: age of the newest data, stored or live. `has_data`: data came since the agent started. `ahead_s`:
    how far the newest stored reading lies in the future, 0 or less when it does not. `recent_priority`: the highest
    physiological alarm of the last hour. `binding`: unbound (never bound), bound or ended. `pause_left_s`: of a planned
    pause whose end is not stored, below 0 after its end; None without a pause.
    """

    running_s: float
    newest_age_s: float | None
    has_data: bool
    ahead_s: float
    recent_priority: int
    binding: str
    pause_left_s: float | None = None


def findings(facts: Facts, limits: Limits) -> list[Finding]:
    """The alarms that must stand now; an alarm of `ALL` that is not among them has ended."""
    if facts.binding == ENDED:  # nobody wears it since `patient end`
        return []
    out = []
    if facts.ahead_s > limits.future_s:
        out.append(
            Finding(
                FUTURE_DATA,
                _capped(facts, max(PRIORITY_LOW, facts.recent_priority)),
                f"the newest reading is dated {span_text(facts.ahead_s)} ahead of this laptop's clock",
            )
        )
    silent = None if _is_paused(facts) else _silence(facts, limits)
    if silent and _is_not_back(facts):
        over_s = -(facts.pause_left_s or 0)
        silent = Finding(
            NOT_BACK, PRIORITY_HIGH, f"the planned pause ended {span_text(over_s)} ago; {silent.detail}"
        )
    return [silent, *out] if silent else out


def _is_paused(facts: Facts) -> bool:
    """An announced pause delays the alarm until its end by this host's own clock, and not a second longer."""
    return facts.pause_left_s is not None and facts.pause_left_s > 0


def _is_not_back(facts: Facts) -> bool:
    """Whether nothing came since the end of a pause."""
    if facts.pause_left_s is None:
        return False
    return facts.newest_age_s is None or facts.newest_age_s >= -facts.pause_left_s


def _silence(facts: Facts, limits: Limits) -> Finding | None:
    if not facts.has_data:
        if facts.running_s < limits.no_data_yet_s:
            return None
        silence_s = (
            facts.running_s if facts.newest_age_s is None else max(facts.newest_age_s, facts.running_s)
        )
        last = (
            "nothing came before"
            if facts.newest_age_s is None
            else f"the newest data is {span_text(facts.newest_age_s)} old"
        )
        text = f"no data in {span_text(facts.running_s)} since the agent started; {last}"
        return Finding(NO_DATA_YET, _capped(facts, _grown(silence_s, facts, limits)), text)
    if facts.newest_age_s is None or facts.newest_age_s < limits.stale_s:
        return None
    text = f"the newest data is {span_text(facts.newest_age_s)} old"
    return Finding(STALE_DATA, _capped(facts, _grown(facts.newest_age_s, facts, limits)), text)


def _grown(silence_s: float, facts: Facts, limits: Limits) -> int:
    grown: int
    if silence_s >= limits.high_after_s:
        grown = PRIORITY_HIGH
    elif silence_s >= limits.medium_after_s:
        grown = PRIORITY_MEDIUM
    else:
        grown = PRIORITY_LOW
    return max(grown, facts.recent_priority)


def _capped(facts: Facts, priority: int) -> int:
    """LOW while the wearable was never bound: nobody is at risk yet, so the alarm does not grow."""
    return int(PRIORITY_LOW) if facts.binding == UNBOUND else priority
