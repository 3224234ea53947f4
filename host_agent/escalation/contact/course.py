"""What the policy speaks of: the course of one episode, what happens to it, and what it does. Times are in ms."""

from typing import NamedTuple

CALLING, ACCEPTED, OVER = STATES = ("calling", "accepted", "over")
TIMERS = ("step", "repeat", "high", "deadline", "lapse", "quiet")
RAISED, REMINDER, OVER_STAGE = "raised", "reminder", "over"


class Now(NamedTuple):
    """`steady_ms` counts on whatever happens to the wall clock `utc_ms`, which says when quiet hours are."""

    steady_ms: int
    utc_ms: int


class Timer(NamedTuple):
    """`number` is the step's, `round` which repeat it is, `who` whose quiet hours end."""

    kind: str
    due_ms: int
    number: int = 0
    round: int = 0
    who: str = ""


class Course(NamedTuple):
    """How far the calling about one episode is. `told` are names of contacts, in the order in which they were told.

    `has_end` is false for an event without a condition: nobody is told that it ended.
    """

    state: str = CALLING
    priority: int = 0
    since_ms: int = 0
    told: tuple[str, ...] = ()
    timers: tuple[Timer, ...] = ()
    reminders: int = 0
    is_unreached: bool = False
    stopped_ms: int = 0
    may_wait: bool = False
    has_end: bool = True


class Raised(NamedTuple):
    """`is_covered`: it is no more urgent than what a person accepted, and the acceptance holds."""

    priority: int
    may_wait: bool = False
    is_covered: bool = False


class Accepted(NamedTuple):
    """`for_ms` None: it never lapses."""

    for_ms: int | None


class Lapsed(NamedTuple):
    """The acceptance counts no longer, before its time."""


class Over(NamedTuple):
    """The condition ended."""


class Ended(NamedTuple):
    """The patient's monitoring ended."""


class Said(NamedTuple):
    """An event without a condition, such as something that was signed."""

    priority: int
    may_wait: bool = False


class Passed(NamedTuple):
    """Time passed."""


Event = Raised | Accepted | Lapsed | Over | Ended | Said | Passed


class Tell(NamedTuple):
    """Send the message of this stage. `number` counts reminders; `systems`: to the receivers without a person, too.

    `is_lapse`: somebody had accepted it, and that ended.
    """

    stage: str
    people: tuple[str, ...]
    priority: int
    why: str
    number: int = 0
    systems: bool = False
    is_rise: bool = False
    is_lapse: bool = False


class Hold(NamedTuple):
    """Somebody is told later. `until_utc_ms` by the wall clock."""

    who: str
    until_utc_ms: int
    why: str


class Sound(NamedTuple):
    """NOBODY_REACHED sounds on the wearable and on the laptop."""

    why: str


Action = Tell | Hold | Sound
