"""What people are told about an acceptance: who has the alarm now, and that it is nobody's again."""

from typing import NamedTuple

from host_agent.escalation.alarm_words import When, alarm_noun, people_words
from host_agent.patient.contact import Contact
from host_agent.store.acceptances import Acceptance
from host_agent.text import local_time_near, marked


class About(NamedTuple):
    """The alarm that it is about: `alarm` 0 is a grade rise; `raised_utc_ms` is when its episode began."""

    alarm: int
    priority: int
    simulated: bool
    raised_utc_ms: int

    @property
    def noun(self) -> str:
        """What is the case, as people call it."""
        return alarm_noun(self.alarm) if self.alarm else "the grade rose"


def accepted_words(about: About, contact: Contact, one: Acceptance) -> str:
    """`ACCEPTED 03:31, JS-60 (Bed 3): nurse-1 accepted the alarm of 03:07: oxygen low. ...`"""
    at, since, until = (
        local_time_near(utc_ms, one.at_utc_ms)
        for utc_ms in (one.at_utc_ms, about.raised_utc_ms, one.until_utc_ms)
    )
    said = (
        f"{one.who} accepted the alarm of {since}: {about.noun}. It still stands."
        f" If it lasts until {until}, it alarms again."
        if about.alarm
        else f"{one.who} accepted the alarm of {since}: {about.noun}. Every further rise alarms again."
    )
    return marked(about.simulated, f"ACCEPTED {at}, {contact.about}: {said} {contact.call}")


def lapsed_words(about: About, contact: Contact, one: Acceptance, now_ms: int) -> str:
    """The alarm goes on and the acceptance is over."""
    at = local_time_near(one.at_utc_ms, now_ms)
    said = (
        f"{about.noun}, since {local_time_near(about.raised_utc_ms, now_ms)}. {one.who} accepted it at {at};"
        " that has ended and the alarm goes on. Look at the patient now and accept it again."
    )
    return people_words(about.priority, contact, When(now_ms, now_ms), said, simulated=about.simulated)


def first_words(one: Acceptance, now_ms: int) -> str:
    """Who accepted it, for somebody who comes second: `nurse-1 accepted it at 03:31, until 03:41`."""
    return (
        f"{one.who} accepted it at {local_time_near(one.at_utc_ms, now_ms)},"
        f" until {local_time_near(one.until_utc_ms, now_ms)}"
    )
