"""Points in time and durations as typed on the command line."""

import datetime
import re

from host_agent.errors import ConfigError
from host_agent.wall_time import around_gap, begin_of, moments_of

_YEARS = (1970, 2999)
_UNITS_S = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_SPAN = re.compile(r"^(\d{1,9}(?:\.\d{1,3})?)(s|min|m|h|d)$")


def parse_span_s(text: str, option: str) -> float:
    """`90s`, `5m`, `2h`, `7d` in seconds; ConfigError names the option."""
    match = _SPAN.match(text.strip())
    if not match or float(match.group(1)) == 0:
        raise ConfigError(
            f"{option}: expected a duration such as 90s, 5m, 2h or 7d, found {text!r}.", "Try --help."
        )
    return float(match.group(1)) * _UNITS_S[match.group(2)]


def parse_moment_ms(text: str, option: str) -> int:
    """ISO 8601 date or time in UTC ms; without a zone it is this computer's, and a date is its first moment.

    ConfigError names the option, also for a time that clocks here never show or show twice.
    """
    text = text.strip()
    try:
        moment = datetime.datetime.fromisoformat(text)
        if not _YEARS[0] <= moment.year <= _YEARS[1]:
            raise ValueError
    except ValueError:
        raise ConfigError(
            f"{option}: expected a time such as 2026-03-31T14:05 or 2026-03-31T14:05:00Z, found {text!r}.",
            "Try --help.",
        ) from None
    if moment.tzinfo is None:
        moment = begin_of(moment.date()) if _is_date(text) else _moment_here(moment, option)
    return round(moment.timestamp() * 1000)


def _is_date(text: str) -> bool:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _moment_here(wall: datetime.datetime, option: str) -> datetime.datetime:
    found = moments_of(wall)
    if len(found) == 1:
        return found[0]
    clock = f"{wall:%H:%M:%S}" if wall.second else f"{wall:%H:%M}"
    one, other = (typed(moment) for moment in found or around_gap(wall))
    if found:
        raise ConfigError(
            f"{option}: {clock} happened twice on {wall:%Y-%m-%d}, when the clocks went back.",
            f"Write {one} for the first time, or {other} for the second.",
        )
    raise ConfigError(
        f"{option}: {clock} did not happen on {wall:%Y-%m-%d}, when the clocks went forward.",
        f"Write {one} or {other}.",
    )


def typed(moment: datetime.datetime) -> str:
    """A moment as it can be typed again: `2026-10-25T02:30+01:00`."""
    return moment.isoformat(timespec="seconds" if moment.second else "minutes")
