"""Calls people: keeps the course of every event in the store, and turns what the policy decides into outbox rows.

Course, timers and rows are written in one transaction, so a crash loses none of them and repeats none.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

from crs_core.codes import NOBODY_REACHED, PRIORITY_HIGH, PRIORITY_LOW

from host_agent.clock import Clock
from host_agent.config.model import Config
from host_agent.escalation.acceptance.replies import with_reply_code
from host_agent.escalation.acceptance.telling import acceptance_fields
from host_agent.escalation.contact.course import (
    ACCEPTED,
    CALLING,
    OVER,
    OVER_STAGE,
    RAISED,
    REMINDER,
    STATES,
    TIMERS,
    Accepted,
    Action,
    Course,
    Ended,
    Event,
    Lapsed,
    Now,
    Over,
    Passed,
    Raised,
    Said,
    Tell,
    Timer,
)
from host_agent.escalation.contact.messages import End, Message, message, with_stage
from host_agent.escalation.contact.plan import Plan, may_be_counted, may_wait, plan_of
from host_agent.escalation.contact.policy import decide
from host_agent.escalation.contact.steady_time import SteadyTime
from host_agent.escalation.target import WITHHELD, Target
from host_agent.store import contact_courses as courses
from host_agent.store.acceptances import ACCEPTED as ACCEPTANCE
from host_agent.store.acceptances import acceptances_of, is_silenced
from host_agent.store.contact_courses import StoredCourse, StoredEvent
from host_agent.store.db import Tx
from host_agent.store.outbox import Addressed, add_delivery, has_delivery
from host_agent.store.savepoint import attempt
from host_agent.sync.timebase import stored_time

_LOG = logging.getLogger(__name__)
_DAMAGED = (ValueError, TypeError, KeyError)  # what a course that somebody changed by hand can raise
_ENDS_TOLD_MS = 86_400_000  # an end of before, when there were no contacts, is no news


class Due(NamedTuple):
    """What a look found for one course, before anything is written."""

    before: StoredCourse
    course: Course
    actions: list[Action]


class Calling:
    """`clock` is the agent's; `system` names this start of the computer, as in `SteadyTime`."""

    def __init__(
        self,
        plan: Plan,
        targets: Sequence[Target],
        clock: Clock,
        *,
        system: str,
        link_utc_ms: Callable[[], int],
    ) -> None:
        self.plan = plan
        used = {channel for person in plan.people for channel in person.channels}
        self.systems = tuple(target for target in targets if target.name not in used)
        self._targets = {target.name: target for target in targets}
        self._link_utc_ms = link_utc_ms
        # counts an event that one receiver gets too often; whether it did. Set by who counts.
        self.count: Callable[[Tx, Target, StoredEvent], bool] = lambda tx, target, event: False
        self._time = SteadyTime(clock, system)
        self._hash = plan.hash

    def post(self, tx: Tx, posted: StoredEvent, episode: int | None) -> str:
        """Call people about a new event, whose episode is a row id; returns its payload as systems get it."""
        now = self._begin(tx)
        stored = None if episode is None else courses.course_of_episode(tx, episode)
        if episode is None or posted.alarm == NOBODY_REACHED:
            return self._say(tx, posted, now)
        if stored is None:
            stored = self._add(tx, posted, episode)
        elif stored.event_key == posted.key:  # the same record once more
            return with_stage(posted.payload, RAISED, stored.now.key if stored.now else None)
        try:
            course = _course(stored)
        except _DAMAGED:  # what cannot be read begins anew
            course = Course()
        is_rise = course.state != OVER and 0 < course.priority < posted.priority
        waits = may_wait(posted.alarm, posted.priority, is_rise=is_rise or posted.alarm == 0)
        covered = stored.now is not None and stored.now.state == "accepted" and course.state == ACCEPTED
        stored = stored._replace(event_key=posted.key, payload=posted.payload)
        event = Raised(posted.priority, may_wait=waits, is_covered=covered)
        self._write(tx, self._decide(stored, course, [event], now), now)
        return with_stage(posted.payload, RAISED, stored.now.key if stored.now else None)

    def look(self, tx: Tx) -> tuple[bool, set[int]]:
        """(whether `advance` would write now, row ids of wearables about which it would call). Only reads.

        Counted are alarms, MEDIUM or HIGH, that nobody has accepted: about those nobody may wait for the store.
        """
        now = self._time.now(tx)
        stored = courses.open_courses(tx)
        is_due = bool(self._adoptable(tx)) or bool(self.ends(tx))
        about = set()
        for one in stored:
            try:
                due = self._look(one, now)
            except _DAMAGED:  # `advance` says so
                due = Due(one, Course(priority=PRIORITY_HIGH), [])
            is_due = is_due or due is not None
            if due is not None and one.device is not None and due.course.state == CALLING:
                about |= {one.device} if due.course.priority > PRIORITY_LOW else set()
        return is_due or (bool(stored) and self._time.is_note_old), about

    def adopt(self, tx: Tx) -> None:
        """Call about what stands and was told when there were no contacts."""
        now = self._begin(tx)
        for episode in self._adoptable(tx):
            posted = courses.newest_event_of(tx, episode)
            stored = self._add(tx, posted, episode)
            self._write(tx, self._decide(stored, Course(), [Raised(posted.priority)], now), now)

    def advance(self, tx: Tx, device: int | None = None) -> None:
        """Everything that is due: timers, acceptances, ends; `device` None: of every wearable."""
        now = self._begin(tx)
        for stored in courses.open_courses(tx, device):
            error = attempt(tx, partial(self._advance_one, tx, stored, now))
            if error is not None:  # one course that cannot be judged stops no other, and is heard
                _LOG.error(
                    "the course %d cannot be judged; nobody is called by it", stored.id, exc_info=error
                )
                courses.mark_unreached(tx, stored.id)
        if self._time.is_note_old:
            self._time.note(tx)

    def ends(self, tx: Tx) -> list[courses.EndedPatient]:
        """Patients whose end nobody was told."""
        return courses.untold_ends(tx, self._time.now(tx).utc_ms - _ENDS_TOLD_MS)

    def _begin(self, tx: Tx) -> Now:
        self._time.begin(tx)
        return self._time.now(tx)

    def _add(self, tx: Tx, posted: StoredEvent, episode: int | None) -> StoredCourse:
        return courses.add_course(
            tx, episode=episode, device=posted.device, alarm=posted.alarm, simulated=posted.simulated,
            kind=posted.kind, event_key=posted.key, payload=posted.payload,
        )  # fmt: skip

    def _say(self, tx: Tx, posted: StoredEvent, now: Now) -> str:
        """An event that nobody accepts: everybody is told, quiet hours hold back what may wait."""
        if not courses.has_course(tx, posted.key):
            stored = self._add(tx, posted, None)
            event = Said(posted.priority, may_wait(posted.alarm, posted.priority, is_rise=False))
            self._write(tx, self._decide(stored, Course(), [event], now), now)
        return with_stage(posted.payload, RAISED, None)

    def _advance_one(self, tx: Tx, stored: StoredCourse, now: Now) -> None:
        goes_on_as = stored.now.goes_on_as if stored.now and stored.now.state == "closed" else None
        # a late record showed that the alarm began earlier: it goes on under another key, and so does the calling
        if goes_on_as is not None and courses.move_course(tx, stored.id, goes_on_as):
            stored = courses.course_of_episode(tx, goes_on_as) or stored
        if (due := self._look(stored, now)) is not None:
            self._write(tx, due, now)

    def _look(self, stored: StoredCourse, now: Now) -> Due | None:
        """What became due for one course since it was written; None: nothing."""
        course = _course(stored)
        stored, events = self._happened(stored, course, now)
        due = self._decide(stored, course, [*events, Passed()], now)
        return due if due.actions or due.course != course or events else None

    def _happened(self, stored: StoredCourse, course: Course, now: Now) -> tuple[StoredCourse, list[Event]]:
        """What people and records did to the episode, by the episode's row."""
        episode = stored.now
        if episode is None or course.state == OVER:
            return stored, []
        is_closed = episode.state == "closed" or episode.priority == 0
        if episode.is_patient_ended or (is_closed and episode.goes_on_as is not None):
            return stored, [Ended()]
        if is_closed:
            return stored, [Over()]
        events: list[Event] = []
        if stored.plan != self._hash:
            stored = stored._replace(plan=self._hash)
            # another configuration: whoever is in it now is called from the first step on
            events.append(Raised(course.priority, course.may_wait))
        if episode.priority > course.priority:  # a late record showed that it had risen before
            events.append(Raised(episode.priority))
        if episode.state != "accepted":
            return stored, [*events, *([Lapsed()] if course.state == ACCEPTED else [])]
        if stored.acceptance != episode.accepted_utc_ms or events:
            stored = stored._replace(acceptance=episode.accepted_utc_ms)
            left_ms = _left_ms(episode, now.utc_ms)
            if left_ms is None or left_ms > 0:
                events.append(Accepted(left_ms))
        return stored, events

    def _decide(self, stored: StoredCourse, course: Course, events: Iterable[Event], now: Now) -> Due:
        actions: list[Action] = []
        for event in events:
            course, made, _ = decide(self.plan, course, event, now)
            actions += made
        return Due(stored._replace(plan=self._hash), course, actions)

    def _write(self, tx: Tx, due: Due, now: Now) -> None:
        stored, course = due.before, due.course
        for action in due.actions:
            if isinstance(action, Tell):
                self._tell(tx, stored, action, now)
        values = course._asdict()
        timers = [(timer.due_ms, list(timer)) for timer in values.pop("timers")]
        courses.keep_course(
            tx,
            stored,
            values=values,
            timers=timers,
            is_unreached=course.is_unreached,
            steady_ms=now.steady_ms,
        )

    def _tell(self, tx: Tx, stored: StoredCourse, tell: Tell, now: Now) -> None:
        episode = stored.now.key if stored.now else None
        names = [
            channel for name in tell.people if (one := self.plan.person(name)) for channel in one.channels
        ]
        names += [target.name for target in self.systems] if tell.systems else []
        targets = [self._targets[name] for name in names if name in self._targets]
        if tell.stage == OVER_STAGE:
            self._tell_end(tx, stored, tell, targets, now)
            return
        lapsed = _last_acceptance(tx, stored) if tell.is_lapse else None
        made = message(stored.payload, stored.event_key, episode, tell, now_ms=now.utc_ms, lapsed=lapsed)
        is_reminder = tell.stage == REMINDER and not tell.systems
        if is_reminder and is_silenced(tx, stored.episode, now.utc_ms):
            return
        for target in targets:
            # a receiver that is behind gets the event itself first, and no heap of reminders afterwards
            if is_reminder and courses.waits_at(tx, target.name, stored.event_key):
                continue
            if not (tell.stage == RAISED and self._is_counted(tx, target, stored, tell)):
                self._add_row(tx, target, stored, made)

    def _tell_end(
        self, tx: Tx, stored: StoredCourse, tell: Tell, targets: Sequence[Target], now: Now
    ) -> None:
        """Each event of the episode ends under its own key, where it was told: a receiver may keep each apart."""
        end = self._end(tx, stored)
        events = courses.events_of(tx, stored.episode) if stored.episode is not None else []
        for key, payload in events or [(stored.event_key, stored.payload)]:
            episode = stored.now.key if stored.now else None
            made = message(payload, key, episode, tell, now_ms=now.utc_ms, end=end)
            for target in targets:
                if has_delivery(tx, target.name, key):
                    self._add_row(tx, target, stored, made)

    def _is_counted(self, tx: Tx, target: Target, stored: StoredCourse, tell: Tell) -> bool:
        if not may_be_counted(stored.alarm, tell.priority, is_rise=tell.is_rise):
            return False
        event = StoredEvent(
            stored.event_key,
            stored.alarm,
            tell.priority,
            stored.simulated,
            stored.payload,
            stored.device,
            stored.kind,
        )
        return self.count(tx, target, event)

    def _add_row(self, tx: Tx, target: Target, stored: StoredCourse, made: Message) -> None:
        why = WITHHELD if stored.simulated and not target.accept_simulated else ""
        row = Addressed(
            target.name, made.key, stored.episode, made.priority, stored.simulated, made.payload, why, stored.device,
            stored.kind if made.key == stored.event_key else "", stored.alarm,
        )  # fmt: skip
        add_delivery(tx, with_reply_code(tx, row, self._link_utc_ms()), self._link_utc_ms())

    def _end(self, tx: Tx, stored: StoredCourse) -> End:
        episode = stored.now
        utc_ms = episode.closed_utc_ms if episode else None
        if episode is not None and episode.kind == "alarm" and episode.journal and stored.device:
            found = courses.last_change(tx, episode.journal, stored.alarm)
            at = stored_time(tx, stored.device, *found) if found else None
            utc_ms = at[0] if at else utc_ms
        return End(utc_ms)

    def _adoptable(self, tx: Tx) -> list[int]:
        return courses.without_course(tx, PRIORITY_LOW, NOBODY_REACHED)


def _last_acceptance(tx: Tx, stored: StoredCourse) -> dict[str, Any] | None:
    found = [] if stored.episode is None else acceptances_of(tx, stored.episode)
    counted = [one for one in found if one.kind == ACCEPTANCE and one.after is None]
    return acceptance_fields(counted[-1]) if counted else None


def calling_of(
    config: Config, targets: Sequence[Target], clock: Clock, system: str, link_utc_ms: Callable[[], int]
) -> Calling | None:
    """None without contacts; the arguments as of `Calling`."""
    plan = plan_of(config)
    return None if plan is None else Calling(plan, targets, clock, system=system, link_utc_ms=link_utc_ms)


def _course(stored: StoredCourse) -> Course:
    if stored.values is None:
        return Course()
    values: dict[str, Any] = {**stored.values, "told": tuple(stored.values["told"])}
    course = Course(**values, timers=tuple(Timer(*timer.detail) for timer in stored.timers))
    if course.state not in STATES or any(timer.kind not in TIMERS for timer in course.timers):
        raise ValueError(f"the course {stored.id} is in a state, or waits for a timer, that there is not")
    return course


def _left_ms(episode: courses.EpisodeNow, utc_ms: int) -> int | None:
    """For how long an acceptance still holds; None: it covers a grade rise, which is no condition that lasts."""
    if episode.kind == "grade" or episode.lapses_utc_ms is None:
        return None
    planned_ms = episode.lapses_utc_ms - (episode.accepted_utc_ms or 0)
    # a clock that was set back does not make it longer than it was meant
    return min(planned_ms, episode.lapses_utc_ms - utc_ms)
