"""The policy is a pure function: who is told when, what stops it, and what may never wait."""

import datetime
import itertools
import time

import pytest
from crs_core import codes
from crs_core.codes import PRIORITY_HIGH, PRIORITY_LOW, PRIORITY_MEDIUM

from host_agent.escalation.contact.course import (
    Accepted,
    Course,
    Ended,
    Hold,
    Lapsed,
    Now,
    Over,
    Passed,
    Raised,
    Said,
    Sound,
    Tell,
)
from host_agent.escalation.contact.foreseen import foresee
from host_agent.escalation.contact.plan import (
    Person,
    Plan,
    Quiet,
    Step,
    may_be_counted,
    may_wait,
    quiet_until_ms,
)
from host_agent.escalation.contact.policy import decide

MIN = 60_000
NIGHT = Quiet(22 * 60, 7 * 60)
AT = round(datetime.datetime(2026, 3, 31, 3, 7).timestamp() * 1000)
PLAN = Plan(
    (
        Person("ann", "caregiver", "en", "", ("a",), NIGHT),
        Person("ben", "nurse", "en", "", ("b",)),
        Person("cid", "on_call", "en", "", ("c",)),
    ),
    (
        Step(0, ("ann",), 2 * MIN, 2),
        Step(5 * MIN, ("ann", "ben")),
        Step(8 * MIN, ("cid",), least=PRIORITY_MEDIUM),
    ),
    10 * MIN,
    15 * MIN,
)


def said(*happens, for_min=30.0, plan=PLAN):
    """(minute, what) of everything that follows."""
    out = []
    events = [(round(minute * MIN), event) for minute, event in happens]
    for one in foresee(plan, events, at_utc_ms=AT, for_ms=round(for_min * MIN)):
        action = one.action
        if isinstance(action, Tell):
            what = f"{action.stage} {' '.join(action.people)}{' +systems' if action.systems else ''}"
        else:
            what = "NOBODY" if isinstance(action, Sound) else f"hold {action.who}"
        out.append((one.after_ms / MIN, what.strip()))
    return out


def test_steps_in_their_order_with_repeats_until_the_deadline_and_then_again():
    high = Raised(PRIORITY_HIGH)
    assert said((0, high), for_min=12) == [
        (0, "raised ann"), (2, "reminder ann"), (4, "reminder ann"), (5, "raised ben"), (5, "reminder ann"),
        (8, "raised cid"), (10, "NOBODY"), (10, "reminder ann"), (12, "reminder ann"),
    ]  # fmt: skip


def test_nobody_accepts_and_the_alarm_never_becomes_quiet():
    found = said((0, Raised(PRIORITY_HIGH)), for_min=24 * 60)
    assert sum(what == "NOBODY" for _, what in found) == 144
    assert max(later - earlier for (earlier, _), (later, _) in itertools.pairwise(found)) <= 5


def test_an_acceptance_stops_the_steps_and_its_lapse_lets_them_go_on_where_they_stopped():
    found = said((0, Raised(PRIORITY_HIGH)), (3, Accepted(10 * MIN)), for_min=18.5)
    assert found == [
        (0, "raised ann"), (2, "reminder ann"), (13, "reminder ann"), (14, "reminder ann"), (15, "raised ben"),
        (15, "reminder ann"), (18, "raised cid"),
    ]  # fmt: skip


def test_a_second_acceptance_counts_from_its_own_moment():
    found = said((0, Raised(PRIORITY_HIGH)), (1, Accepted(10 * MIN)), (9, Accepted(10 * MIN)), for_min=19.5)
    assert found == [(0, "raised ann"), (19, "reminder ann")]


def test_a_rise_starts_the_steps_anew_and_is_told_at_once_to_all_who_know_though_it_was_accepted():
    found = said(
        (0, Raised(PRIORITY_MEDIUM)), (6, Accepted(30 * MIN)), (7, Raised(PRIORITY_HIGH)), for_min=15.5
    )
    assert found[5:] == [
        (7, "raised ann ben"), (9, "reminder ann"), (11, "reminder ann"), (12, "reminder ann ben"), (15, "raised cid"),
    ]  # fmt: skip


def test_what_came_again_under_an_acceptance_is_told_and_stays_accepted():
    again = Raised(PRIORITY_HIGH, is_covered=True)
    assert said((0, Raised(PRIORITY_HIGH)), (1, Accepted(60 * MIN)), (2, again)) == [
        (0, "raised ann"), (2, "raised ann")
    ]  # fmt: skip


def test_a_medium_alarm_that_nobody_accepts_is_high_after_fifteen_minutes_and_then_has_its_deadline():
    found = said((0, Raised(PRIORITY_MEDIUM)), for_min=25)
    assert (15, "reminder ann ben cid +systems") in found and (25, "NOBODY") in found
    assert [minute for minute, what in found if what == "NOBODY"] == [25]


def test_what_fell_and_rose_again_below_its_highest_stays_at_its_highest():
    course, _, _ = decide(PLAN, Course(), Raised(PRIORITY_HIGH), Now(AT, AT))
    course, actions, why = decide(PLAN, course, Raised(PRIORITY_MEDIUM), Now(AT + MIN, AT + MIN))
    assert course.priority == PRIORITY_HIGH and why.startswith("the alarm rose") and actions


def test_the_end_is_told_to_everybody_who_was_told_and_to_nobody_else():
    found = said((0, Raised(PRIORITY_HIGH)), (6, Over()), for_min=600)
    assert found[-1] == (6, "over ann ben +systems") and len(found) == 6


def test_the_end_of_the_patient_is_not_worded_as_the_end_of_the_condition():
    assert said((0, Raised(PRIORITY_HIGH)), (1, Ended()), for_min=600) == [(0, "raised ann")]


def test_quiet_hours_hold_a_low_alarm_back_and_deliver_it_afterwards_also_when_it_is_over():
    low = Raised(PRIORITY_LOW, may_wait=True)
    until_7 = 7 * 60 - (3 * 60 + 7)
    held = [(0, "hold ann"), (5, "raised ben")]
    assert said((0, low), for_min=600) == [*held, (until_7, "raised ann")]
    assert said((0, low), (60, Over()), for_min=600) == [
        *held, (60, "over ben +systems"), (until_7, "raised ann"), (until_7, "over ann")
    ]  # fmt: skip


def test_in_quiet_hours_nobody_is_reminded_of_a_low_alarm_nor_told_of_its_end_before_they_end():
    low = Raised(PRIORITY_LOW, may_wait=True)
    evening = round(datetime.datetime(2026, 3, 31, 21, 59).timestamp() * 1000)
    events = [(0, low), (3 * MIN, Over())]
    found = [
        (one.after_ms / MIN, one.action.stage, one.action.people)
        for one in foresee(PLAN, events, at_utc_ms=evening, for_ms=600 * MIN)
        if isinstance(one.action, Tell)
    ]
    assert found == [(0, "raised", ("ann",)), (3, "over", ()), (541, "over", ("ann",))]


def test_a_rise_ends_what_quiet_hours_held_back():
    found = said((0, Raised(PRIORITY_LOW, may_wait=True)), (1, Raised(PRIORITY_MEDIUM)), for_min=1)
    assert found == [(0, "hold ann"), (1, "raised ann")]


@pytest.mark.parametrize("priority", [PRIORITY_MEDIUM, PRIORITY_HIGH])
@pytest.mark.parametrize("alarm", range(60))
def test_medium_and_high_never_wait_whatever_they_are(alarm, priority):
    assert not may_wait(alarm, priority, is_rise=False)


def test_what_never_waits_and_what_is_never_counted():
    for alarm in (codes.FEVER, codes.HYPOXAEMIA, codes.PATIENT_BUTTON):
        assert not may_wait(alarm, PRIORITY_LOW, is_rise=False)
        assert not may_be_counted(alarm, PRIORITY_LOW, is_rise=False)
    assert may_wait(codes.LOW_BATTERY, PRIORITY_LOW, is_rise=False)
    assert not may_wait(codes.LOW_BATTERY, PRIORITY_LOW, is_rise=True)
    assert may_be_counted(codes.STALE_DATA, PRIORITY_LOW, is_rise=False)
    assert not may_be_counted(codes.STALE_DATA, PRIORITY_MEDIUM, is_rise=False)
    assert not may_be_counted(codes.SENSOR_FAULT, PRIORITY_MEDIUM, is_rise=True)
    assert not may_be_counted(codes.SENSOR_FAULT, PRIORITY_HIGH, is_rise=False)


def test_after_an_hour_without_an_agent_everybody_is_told_at_once_and_nobody_twice():
    course, _, _ = decide(PLAN, Course(), Raised(PRIORITY_HIGH), Now(AT, AT))
    later = Now(AT + 63 * MIN, AT + 63 * MIN)
    course, actions, why = decide(PLAN, course, Passed(), later)
    told = [name for action in actions if isinstance(action, Tell) for name in action.people]
    assert sorted(told) == ["ann", "ben", "cid"] and "NOBODY_REACHED" in why and course.is_unreached
    assert decide(PLAN, course, Passed(), later)[1] == []
    assert min(timer.due_ms for timer in course.timers) > later.steady_ms


def test_an_acceptance_that_lapsed_while_no_agent_ran_lets_the_steps_go_on_from_then():
    course, _, _ = decide(PLAN, Course(), Raised(PRIORITY_HIGH), Now(AT, AT))
    course, _, _ = decide(PLAN, course, Accepted(10 * MIN), Now(AT + MIN, AT + MIN))
    course, actions, _ = decide(PLAN, course, Passed(), Now(AT + 40 * MIN, AT + 40 * MIN))
    assert course.is_unreached and Sound in {type(action) for action in actions}


def test_an_acceptance_ends_nobody_reached_and_one_taken_back_begins_it_again():
    course, _, _ = decide(PLAN, Course(), Raised(PRIORITY_HIGH), Now(AT, AT))
    course, _, _ = decide(PLAN, course, Passed(), Now(AT + 11 * MIN, AT + 11 * MIN))
    course, actions, why = decide(PLAN, course, Accepted(None), Now(AT + 12 * MIN, AT + 12 * MIN))
    assert (course.is_unreached, actions, why) == (False, [], "a person accepted: the steps stop")
    assert decide(PLAN, course, Passed(), Now(AT + 900 * MIN, AT + 900 * MIN))[1] == []
    course, actions, _ = decide(PLAN, course, Lapsed(), Now(AT + 901 * MIN, AT + 901 * MIN))
    assert actions[0].people == ("ann", "ben", "cid") and course.state == "calling"


def test_what_was_signed_is_told_to_everybody_once_and_ends_there():
    course, actions, _ = decide(PLAN, Course(), Said(PRIORITY_HIGH), Now(AT, AT))
    assert actions[0].people == ("ann", "ben", "cid") and course.timers == ()
    course, actions, _ = decide(PLAN, Course(), Said(PRIORITY_LOW, may_wait=True), Now(AT, AT))
    assert [type(action) for action in actions] == [Tell, Hold]
    later = Now(AT + 240 * MIN, AT + 240 * MIN)
    assert [action.stage for action in decide(PLAN, course, Passed(), later)[1]] == ["raised"]


def test_a_contact_that_left_the_configuration_is_not_told_and_does_not_stop_the_others():
    course = Course(priority=PRIORITY_HIGH, told=("gone", "ben"), since_ms=AT)
    _, actions, _ = decide(PLAN, course, Over(), Now(AT, AT))
    assert actions == [Tell("over", ("ben",), PRIORITY_HIGH, "the condition ended", systems=True)]


@pytest.fixture
def berlin(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_quiet_hours_that_end_while_the_clocks_change_never_become_longer(berlin):
    night = Quiet(22 * 60, 2 * 60 + 30)
    spring = moment(2026, 3, 29, 1, 30)
    assert quiet_until_ms(night, spring) - spring == 60 * MIN
    autumn = moment(2026, 10, 25, 1, 30)
    assert quiet_until_ms(night, autumn) - autumn == 60 * MIN
    second = round(datetime.datetime(2026, 10, 25, 2, 45, fold=0).timestamp() * 1000)
    assert quiet_until_ms(night, second) is None


def moment(*parts):
    return round(datetime.datetime(*parts).timestamp() * 1000)


def test_quiet_hours_go_over_midnight_and_end_by_the_local_clock():
    assert quiet_until_ms(NIGHT, moment(2026, 3, 31, 22, 0)) == moment(2026, 4, 1, 7, 0)
    assert quiet_until_ms(NIGHT, moment(2026, 4, 1, 6, 59, 59)) == moment(2026, 4, 1, 7, 0)
    assert quiet_until_ms(NIGHT, moment(2026, 4, 1, 7, 0)) is None
    assert quiet_until_ms(NIGHT, moment(2026, 4, 1, 21, 59)) is None
    noon = Quiet(12 * 60, 14 * 60)
    assert quiet_until_ms(noon, moment(2026, 4, 1, 13, 0)) == moment(2026, 4, 1, 14, 0)
    assert quiet_until_ms(noon, moment(2026, 4, 1, 14, 0)) is None and quiet_until_ms(None, AT) is None
