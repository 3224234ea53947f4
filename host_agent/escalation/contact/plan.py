"""The site's plan as plain values: who there is, which steps there are, what may never wait. Times are in ms.

The numbers and the table below are proposals that a clinician must sign.
"""

import datetime
import hashlib
from typing import NamedTuple

from crs_core import codes
from crs_core.codes import PRIORITY_HIGH, PRIORITY_LOW, PRIORITY_MEDIUM, PRIORITY_NAMES

from host_agent.config.model import Config
from host_agent.wall_time import around_gap, moments_of

# Never held back by quiet hours and never counted instead of told, whatever their priority. Silence comes in from
# MEDIUM on, that is after 15 minutes; every rise does, too.
NEVER_HELD = (
    codes.FEVER, codes.HYPOXAEMIA, codes.PATIENT_BUTTON, codes.LIFE_THREATENING, codes.PULSE_LOST,
    codes.NOBODY_REACHED,
)  # fmt: skip


class Quiet(NamedTuple):
    """Quiet hours by this computer's clock, in minutes of the day; they may go over midnight."""

    from_min: int
    until_min: int


class Person(NamedTuple):
    """A contact: `channels` are names of receivers; `unit` "" is the wearable's."""

    name: str
    role: str
    language: str
    unit: str
    channels: tuple[str, ...]
    quiet: Quiet | None = None


class Step(NamedTuple):
    """`people` are told `after_ms` after the begin, then `repeats` times more; for alarms of `least` and above."""

    after_ms: int
    people: tuple[str, ...]
    repeat_ms: int = 0
    repeats: int = 0
    least: int = PRIORITY_LOW


class Plan(NamedTuple):
    """What the policy works with; it was validated when the configuration was read."""

    people: tuple[Person, ...]
    steps: tuple[Step, ...]
    accept_within_ms: int
    medium_to_high_ms: int

    def person(self, name: str) -> Person | None:
        """The contact of this name; None: the configuration has it no more."""
        return next((one for one in self.people if one.name == name), None)

    def reached_by(self, priority: int) -> tuple[str, ...]:
        """Everybody whom a step for this priority names, in the order of the steps."""
        named = [name for step in self.steps if step.least <= priority for name in step.people]
        return tuple(dict.fromkeys(named))

    @property
    def hash(self) -> str:
        """Names this plan; another one makes steps that are under way start again."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]


def plan_of(config: Config) -> Plan | None:
    """None without contacts: then every receiver is a system and gets every event at once."""
    if not config.contact:
        return None
    people = tuple(
        Person(one.name, one.role, one.language, one.unit or "", one.channels, _quiet(one.quiet_from, one.quiet_until))
        for one in config.contact
    )  # fmt: skip
    steps = tuple(
        Step(
            one.after_s * 1000,
            one.contacts,
            one.repeat_s * 1000,
            one.repeats,
            PRIORITY_NAMES.index(one.least),
        )
        for one in config.step
    )
    times = config.escalation
    return Plan(people, steps, times.accept_within_s * 1000, times.medium_to_high_s * 1000)


def may_wait(alarm: int, priority: int, *, is_rise: bool) -> bool:
    """Whether quiet hours may hold it back. `alarm` 0 is a grade rise or something that was signed."""
    return priority <= PRIORITY_LOW and not is_rise and alarm not in NEVER_HELD


def may_be_counted(alarm: int, priority: int, *, is_rise: bool) -> bool:
    """Whether it may be counted instead of told when it comes again and again."""
    silence = alarm in (codes.NO_DATA, codes.NO_DATA_YET, codes.STALE_DATA, codes.NOT_BACK)
    never = is_rise or alarm in NEVER_HELD or (silence and priority >= PRIORITY_MEDIUM)
    return priority < PRIORITY_HIGH and not never


def quiet_until_ms(quiet: Quiet | None, utc_ms: int) -> int | None:
    """When the quiet hours end in which this moment lies, in UTC ms; None outside of them.

    On a day on which the clocks change, a time that happens twice counts the first time, and one that is left out when
    the clocks are put forward: quiet hours never become longer.
    """
    if quiet is None:
        return None
    here = datetime.datetime.fromtimestamp(utc_ms / 1000).astimezone()
    minute = here.hour * 60 + here.minute
    begin, end = quiet
    inside = begin <= minute < end if begin < end else minute >= begin or minute < end
    if not inside:
        return None
    day = here.date() + datetime.timedelta(days=1 if begin > end and minute >= begin else 0)
    wall = datetime.datetime(day.year, day.month, day.day, end // 60, end % 60)
    ends = moments_of(wall) or around_gap(wall)
    later = [round(one.timestamp() * 1000) for one in ends if one.timestamp() * 1000 > utc_ms]
    return later[0] if later else None


def _quiet(begin: str | None, end: str | None) -> Quiet | None:
    if begin is None or end is None:
        return None
    return Quiet(_minutes(begin), _minutes(end))


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)
