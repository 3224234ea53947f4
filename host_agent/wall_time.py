"""Wall times of this computer's zone, also on the days when summer time begins or ends.

An hour that is left out has no moment, and an hour that happens twice has two: whoever turns a wall time into a moment
or a moment into a wall time asks here.
"""

import datetime
import time
from functools import lru_cache

_FIRST_YEAR = 1900  # before it no clock was put forward or back for summer
_DAY = datetime.timedelta(days=1)


def moments_of(wall: datetime.datetime) -> list[datetime.datetime]:
    """The moments at which clocks here show `wall` (naive), the earlier first: one, none, or two."""
    found = {wall.replace(fold=fold).astimezone() for fold in (0, 1)}
    return sorted(one for one in found if one.replace(tzinfo=None) == wall)


def around_gap(wall: datetime.datetime) -> list[datetime.datetime]:
    """For a wall time that is left out: its moments by the offset before and after, the earlier first."""
    offsets = ((wall - _DAY).astimezone().tzinfo, (wall + _DAY).astimezone().tzinfo)
    return sorted({wall.replace(tzinfo=offset).astimezone() for offset in offsets})


def begin_of(day: datetime.date) -> datetime.datetime:
    """The first moment of a day; in some zones a day begins at 01:00 when summer time does."""
    midnight = datetime.datetime(day.year, day.month, day.day)
    return (moments_of(midnight) or around_gap(midnight)[-1:])[0]


def has_two_offsets(day: datetime.date) -> bool:
    """Whether the clocks change on this day, so that a wall time alone can mislead."""
    return _has_two_offsets(day, (*time.tzname, time.timezone, time.altzone))


@lru_cache(maxsize=128)
def _has_two_offsets(day: datetime.date, _zone: tuple[object, ...]) -> bool:
    if not _FIRST_YEAR <= day.year < datetime.MAXYEAR:
        return False
    # A change at midnight counts for the day that begins with it, too.
    before = (begin_of(day) - datetime.timedelta(seconds=1)).astimezone()
    return before.utcoffset() != begin_of(day + _DAY).utcoffset()
