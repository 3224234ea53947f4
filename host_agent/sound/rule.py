"""Which sound is due: pure, from the alarms that stand, what people did about them, and the time.

    alarm nobody answered             sounds
    accepted, up to what was seen     silent until the acceptance lapses; a grade rise never sounds again by time
    silenced, up to what was seen     silent until then
    risen since                       sounds at once
    simulated                         sounds only where the configuration says so

Of all that sounds the most urgent one is heard.
"""

from collections.abc import Iterable

from crs_core.codes import PRIORITY_HIGH, PRIORITY_LOW

from host_agent.sound.patterns import PATTERNS, Pattern
from host_agent.store.sounding import Answer, Ringing


def due(
    ringing: Iterable[Ringing], answers: Iterable[Answer], now_ms: int, *, simulated: bool
) -> Pattern | None:
    """The pattern that is due now, or None. `simulated`: simulated alarms sound too."""
    given = list(answers)
    loud = [
        one.priority
        for one in ringing
        if (simulated or not one.simulated) and not any(_covers(answer, one, now_ms) for answer in given)
    ]
    # a priority of a newer version may be above HIGH: it is heard as HIGH
    highest = min(max(loud, default=0), PRIORITY_HIGH)
    return PATTERNS[highest] if highest >= PRIORITY_LOW else None


def _covers(answer: Answer, alarm: Ringing, now_ms: int) -> bool:
    if answer.key != alarm.key or alarm.priority > answer.priority or answer.at_utc_ms > now_ms:
        return False
    if alarm.is_grade:
        rose = alarm.changed_utc_ms > answer.at_utc_ms
        return not rose and (answer.is_acceptance or now_ms < answer.until_utc_ms)
    return now_ms < answer.until_utc_ms
