"""Who is told next: `decide(plan, course, event, now)` gives the new course, what to do, and why. It does nothing else.

| course   | event    | what follows                                                          |
|----------|----------|-----------------------------------------------------------------------|
| any      | Raised   | the steps start anew, and everybody told before is told at once       |
| ACCEPTED | Raised, no more urgent than what was accepted | it is told, and stays accepted   |
| CALLING  | Accepted | the steps stop                                                        |
| ACCEPTED | Accepted | the newest acceptance counts                                          |
| ACCEPTED | Lapsed   | those told are told again, and the steps go on where they stopped     |
| any      | Over     | everybody who was told is told that the condition ended               |
| any      | Ended    | the patient's monitoring ended: nothing more is told of this alarm    |
| any      | Said     | an event that nobody accepts: told once to everybody                  |
| any      | Passed   | the timers that are due                                               |

| timer    | what follows                                                                           |
|----------|----------------------------------------------------------------------------------------|
| step     | its people are told; those who know already are reminded                               |
| repeat   | its people are reminded                                                                |
| high     | a MEDIUM alarm that nobody accepted is HIGH from now on: everybody is told, steps anew |
| deadline | nobody accepted a HIGH alarm in time: NOBODY_REACHED, and the steps start again        |
| lapse    | the acceptance lapsed                                                                  |
| quiet    | somebody's quiet hours ended: what they held back is told                              |
"""

from collections.abc import Callable, Iterable

from crs_core.codes import PRIORITY_HIGH, PRIORITY_MEDIUM

from host_agent.escalation.contact.course import (
    ACCEPTED,
    CALLING,
    OVER,
    OVER_STAGE,
    RAISED,
    REMINDER,
    Accepted,
    Action,
    Course,
    Ended,
    Event,
    Hold,
    Lapsed,
    Now,
    Over,
    Passed,
    Raised,
    Said,
    Sound,
    Tell,
    Timer,
)
from host_agent.escalation.contact.plan import Plan, quiet_until_ms
from host_agent.text import span_text

Result = tuple[Course, list[Action]]


def decide(plan: Plan, course: Course, event: Event, now: Now) -> tuple[Course, list[Action], str]:
    """(new course, actions in order, reason). The same arguments give the same answer."""
    changed, actions = _RULES[type(event)](plan, course, event, now)
    changed, later = _pass(plan, changed, Passed(), now, _told_in(actions))
    actions += later
    reason = "; ".join(dict.fromkeys(action.why for action in actions)) or _WHY[type(event)]
    return changed, actions, reason


def next_due_ms(course: Course) -> int | None:
    """When a timer falls due, in steady time; None: nothing waits."""
    return min((timer.due_ms for timer in _running(course)), default=None)


def _raised(plan: Plan, course: Course, event: Raised, now: Now) -> Result:
    if event.is_covered and course.state == ACCEPTED:
        return _reach(plan, course, course.told, now, "the alarm came again")
    is_rise = course.priority > 0 and course.state != OVER
    # it never falls while it lasts: a condition that became less urgent is still not accepted
    priority = max(event.priority, course.priority) if is_rise else event.priority
    timers = _steps_from(plan, priority, now.steady_ms) + (_held(course) if event.may_wait else ())
    # what nobody accepted before it rose is accepted by nobody now
    course = course._replace(
        state=CALLING, priority=priority, since_ms=now.steady_ms, timers=timers, stopped_ms=0,
        may_wait=event.may_wait, is_unreached=course.is_unreached and is_rise,
    )  # fmt: skip
    if not is_rise:
        return _reach(plan, course, course.told, now, "the alarm began")
    course, actions = _reach(plan, course, course.told, now, "the alarm rose: the steps start anew")
    return course, [one._replace(is_rise=True) if isinstance(one, Tell) else one for one in actions]


def _accepted(plan: Plan, course: Course, event: Accepted, now: Now) -> Result:
    if course.state == OVER:
        return course, []
    timers = tuple(timer for timer in course.timers if timer.kind != "lapse")
    if event.for_ms is not None:
        timers += (Timer("lapse", now.steady_ms + event.for_ms),)
    stopped_ms = course.stopped_ms if course.state == ACCEPTED else now.steady_ms
    return course._replace(state=ACCEPTED, timers=timers, stopped_ms=stopped_ms, is_unreached=False), []


def _lapsed(plan: Plan, course: Course, event: Lapsed, now: Now) -> Result:
    if course.state != ACCEPTED:
        return course, []
    return _go_on(plan, course, now.steady_ms, now)


def _over(plan: Plan, course: Course, event: Over, now: Now) -> Result:
    if course.state == OVER:
        return course, []
    awake = _awake(plan, course, course.told, now)
    course = course._replace(state=OVER, timers=_held(course), is_unreached=False)
    actions: list[Action] = [Tell(OVER_STAGE, awake, course.priority, "the condition ended", systems=True)]
    for name in course.told:
        if name not in awake and plan.person(name):
            course, held = _hold(plan, course, name, now)
            actions += held
    return course, actions


def _ended(plan: Plan, course: Course, event: Ended, now: Now) -> Result:
    return course._replace(state=OVER, timers=(), is_unreached=False), []


def _said(plan: Plan, course: Course, event: Said, now: Now) -> Result:
    course = Course(OVER, event.priority, now.steady_ms, may_wait=event.may_wait, has_end=False)
    people = plan.reached_by(event.priority)
    return _reach(plan, course, people, now, "everybody is told at once")


def _passed(plan: Plan, course: Course, event: Passed, now: Now) -> Result:
    return course, []


def _pass(plan: Plan, course: Course, event: Passed, now: Now, told_now: frozenset[str]) -> Result:
    """The due timers in order of their time; nobody is told twice by one call."""
    actions: list[Action] = []
    while due := sorted(timer for timer in _running(course) if timer.due_ms <= now.steady_ms):
        timer = min(due, key=lambda one: one.due_ms)
        course = course._replace(timers=tuple(one for one in course.timers if one != timer))
        course, made = _TIMERS[timer.kind](plan, course, timer, now)
        for action in made:
            if (fresh := _without(action, told_now)) is not None:
                actions.append(fresh)
            elif isinstance(action, Tell) and action.stage == REMINDER:
                course = course._replace(reminders=course.reminders - 1)
        told_now |= _told_in(made)
    return course, actions


def _step(plan: Plan, course: Course, timer: Timer, now: Now) -> Result:
    step = plan.steps[timer.number]
    after = f"step {timer.number + 1}, {_after(timer.due_ms - course.since_ms)}"
    fresh = tuple(name for name in step.people if name not in course.told)
    actions: list[Action] = []
    knows = tuple(name for name in step.people if name in course.told)
    if fresh:
        course, actions = _reach(plan, course, fresh, now, after)
    if knows:
        course, reminder = _remind(plan, course, knows, now, after)
        actions += reminder
    if step.repeats:
        course = course._replace(
            timers=(*course.timers, Timer("repeat", timer.due_ms + step.repeat_ms, timer.number, 1))
        )
    return course, actions


def _repeat(plan: Plan, course: Course, timer: Timer, now: Now) -> Result:
    step = plan.steps[timer.number]
    # after a time in which nothing ran, what was missed is told once
    missed = max(0, now.steady_ms - timer.due_ms) // step.repeat_ms
    number = timer.round + missed
    if number < step.repeats:
        due_ms = timer.due_ms + (missed + 1) * step.repeat_ms
        course = course._replace(timers=(*course.timers, Timer("repeat", due_ms, timer.number, number + 1)))
    knows = tuple(name for name in step.people if name in course.told)
    return _remind(plan, course, knows, now, f"repeat {min(number, step.repeats)} of step {timer.number + 1}")


def _high(plan: Plan, course: Course, timer: Timer, now: Now) -> Result:
    why = f"nobody accepted a MEDIUM alarm in {_after(plan.medium_to_high_ms, '')}: it is HIGH now"
    course = course._replace(
        priority=PRIORITY_HIGH, since_ms=timer.due_ms, may_wait=False, reminders=course.reminders + 1,
        timers=_steps_from(plan, PRIORITY_HIGH, timer.due_ms) + _held(course),
    )  # fmt: skip
    people = tuple(name for name in course.told if plan.person(name))
    return course, [Tell(REMINDER, people, PRIORITY_HIGH, why, course.reminders, systems=True)]


def _deadline(plan: Plan, course: Course, timer: Timer, now: Now) -> Result:
    late_ms = max(0, now.steady_ms - timer.due_ms)
    begin_ms = timer.due_ms + late_ms // plan.accept_within_ms * plan.accept_within_ms
    timers = _steps_from(plan, PRIORITY_HIGH, begin_ms) + _held(course)
    course = course._replace(since_ms=begin_ms, is_unreached=True, timers=timers)
    why = f"nobody accepted a HIGH alarm in {_after(plan.accept_within_ms, '')}: NOBODY_REACHED"
    return course, [Sound(why)]


def _lapse(plan: Plan, course: Course, timer: Timer, now: Now) -> Result:
    return _go_on(plan, course, timer.due_ms, now)


def _quiet(plan: Plan, course: Course, timer: Timer, now: Now) -> Result:
    actions: list[Action] = []
    if timer.who not in course.told:
        why = f"the quiet hours of {timer.who} ended"
        course, actions = _reach(plan, course, (timer.who,), now, why)
    if course.state == OVER and course.has_end and timer.who in course.told:
        actions.append(Tell(OVER_STAGE, (timer.who,), course.priority, "the condition ended meanwhile"))
    return course, actions


def _go_on(plan: Plan, course: Course, at_ms: int, now: Now) -> Result:
    """An acceptance ended while the condition stands: what had stopped goes on after as long as it had left."""
    shift_ms = max(0, at_ms - course.stopped_ms)
    timers = tuple(
        one if one.kind == "quiet" else one._replace(due_ms=one.due_ms + shift_ms)
        for one in course.timers
        if one.kind != "lapse"
    )
    course = course._replace(state=CALLING, timers=timers, stopped_ms=0, since_ms=course.since_ms + shift_ms)
    why = "the acceptance lapsed and the alarm stands"
    return _remind(plan, course, course.told, now, why, is_lapse=True)


def _steps_from(plan: Plan, priority: int, begin_ms: int) -> tuple[Timer, ...]:
    timers = [
        Timer("step", begin_ms + step.after_ms, number)
        for number, step in enumerate(plan.steps)
        if step.least <= priority
    ]
    if priority >= PRIORITY_HIGH:
        timers.append(Timer("deadline", begin_ms + plan.accept_within_ms))
    elif priority == PRIORITY_MEDIUM:
        timers.append(Timer("high", begin_ms + plan.medium_to_high_ms))
    return tuple(timers)


def _reach(plan: Plan, course: Course, names: Iterable[str], now: Now, why: str) -> Result:
    """Tell people, or hold back what may wait from those whose quiet hours are now."""
    known = tuple(name for name in names if plan.person(name))
    told = _awake(plan, course, known, now)
    course = course._replace(told=tuple(dict.fromkeys((*course.told, *told))))
    actions: list[Action] = [Tell(RAISED, told, course.priority, why)] if told else []
    for name in known:
        if name not in told:
            course, held = _hold(plan, course, name, now)
            actions += held
    return course, actions


def _awake(plan: Plan, course: Course, names: Iterable[str], now: Now) -> tuple[str, ...]:
    """Who may be told now: everybody, but what may wait waits for the end of somebody's quiet hours."""
    people = [one for name in names if (one := plan.person(name))]
    return tuple(
        one.name for one in people if not course.may_wait or quiet_until_ms(one.quiet, now.utc_ms) is None
    )


def _hold(plan: Plan, course: Course, name: str, now: Now) -> Result:
    person = plan.person(name)
    until_ms = quiet_until_ms(person.quiet, now.utc_ms) if person else None
    if until_ms is None or any(one.who == name for one in _held(course)):
        return course, []
    timer = Timer("quiet", now.steady_ms + until_ms - now.utc_ms, who=name)
    course = course._replace(timers=(*course.timers, timer))
    return course, [Hold(name, until_ms, f"quiet hours of {name}")]


def _remind(
    plan: Plan, course: Course, names: Iterable[str], now: Now, why: str, *, is_lapse: bool = False
) -> Result:
    people = _awake(plan, course, names, now)
    if not people:
        return course, []
    course = course._replace(reminders=course.reminders + 1)
    tell = Tell(REMINDER, people, course.priority, why, course.reminders, is_lapse=is_lapse)
    return course, [tell]


def _held(course: Course) -> tuple[Timer, ...]:
    return tuple(timer for timer in course.timers if timer.kind == "quiet")


def _running(course: Course) -> tuple[Timer, ...]:
    kinds = _COUNTS[course.state]
    return tuple(timer for timer in course.timers if timer.kind in kinds)


def _told_in(actions: Iterable[Action]) -> frozenset[str]:
    return frozenset(
        name
        for action in actions
        if isinstance(action, Tell) and action.stage != OVER_STAGE
        for name in action.people
    )


def _without(action: Action, told: frozenset[str]) -> Action | None:
    if not isinstance(action, Tell) or action.stage == OVER_STAGE:
        return action
    people = tuple(name for name in action.people if name not in told)
    return action._replace(people=people) if people or action.systems else None


def _after(span_ms: int, lead: str = "after ") -> str:
    return "at once" if span_ms <= 0 else lead + span_text(span_ms / 1000)


_RULES: dict[type, Callable[..., Result]] = {
    Raised: _raised, Accepted: _accepted, Lapsed: _lapsed, Over: _over, Ended: _ended, Said: _said, Passed: _passed,
}  # fmt: skip
_TIMERS: dict[str, Callable[..., Result]] = {
    "step": _step, "repeat": _repeat, "high": _high, "deadline": _deadline, "lapse": _lapse, "quiet": _quiet,
}  # fmt: skip
# Which timers count in which state: an acceptance stops the steps, and only what was held back outlives the end.
_COUNTS: dict[str, frozenset[str]] = {
    CALLING: frozenset(_TIMERS) - {"lapse"}, ACCEPTED: frozenset({"lapse", "quiet"}), OVER: frozenset({"quiet"}),
}  # fmt: skip
_WHY: dict[type, str] = {
    Raised: "nobody serves this priority", Accepted: "a person accepted: the steps stop",
    Lapsed: "it was not accepted", Over: "it was over", Ended: "the patient's monitoring ended",
    Said: "nobody serves this priority", Passed: "nothing is due",
}  # fmt: skip
