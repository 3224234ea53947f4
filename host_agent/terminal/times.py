"""Points in time, days and durations as people type them.

A day stands as 2026-03-31 or 31.3.2026, and as `today` or `yesterday`; a time as 14:05 or 14:05:30. A time alone is the
last one that has passed. A form with slashes is taken only when it can mean one day.
"""

import datetime
import re
from collections.abc import Iterator

from host_agent.clock import RealClock
from host_agent.errors import ConfigError
from host_agent.wall_time import around_gap, begin_of, moments_of

_YEARS = (1970, 2999)
_UNITS_S = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_SPAN = re.compile(r"(\d{1,9}(?:[.,]\d{1,3})?) ?(s|min|m|h|d)", re.IGNORECASE | re.ASCII)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)
_POINTS = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})?", re.ASCII)
_WITHOUT_YEAR = re.compile(r"\d{1,2}\.\d{1,2}\.", re.ASCII)
_SLASHES = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_DAYS_AGO = {"today": 0, "yesterday": 1}
_DAY = datetime.timedelta(days=1)


def parse_span_s(text: str, option: str) -> float:
    """`90s`, `5m`, `2h`, `7d` in seconds; ConfigError names the option."""
    match = _SPAN.fullmatch(text.strip())
    seconds = float(match.group(1).replace(",", ".")) if match else 0.0
    if match is None or seconds == 0:
        raise ConfigError(
            f"{option}: expected a duration such as 90s, 5m, 2h or 7d, found {text!r}.",
            f"Write for example {option} 5m",
        )
    return seconds * _UNITS_S[match.group(2).lower()]


def parse_moment_ms(text: str, option: str, now_ms: int | None = None) -> int:
    """A date or time in UTC ms; without a zone it is this computer's, and a date is its first moment.

    `now_ms` None: now. ConfigError names the option and what to write, also for a time that clocks here never show or
    show twice.
    """
    now = datetime.datetime.fromtimestamp(
        (RealClock().utc_ms() if now_ms is None else now_ms) / 1000
    ).astimezone()
    found = _iso(text.strip()) or _said(text.strip().lower(), option, now)
    if found is None:
        raise ConfigError(
            f"{option}: expected a time such as 2026-03-31T14:05 or 2026-03-31T14:05:00Z, found {text!r}.",
            f'Write for example {option} "{now:%Y-%m-%d %H:%M}", {option} 03:10 or {option} "yesterday 22:00"',
        )
    return (
        round(found.timestamp() * 1000)
        if found.tzinfo
        else round(_moment_here(found, option).timestamp() * 1000)
    )


def parse_day(text: str, option: str, now_ms: int | None = None) -> datetime.date:
    """A day with its year; ConfigError names the option and what to write."""
    now = datetime.datetime.fromtimestamp(
        (RealClock().utc_ms() if now_ms is None else now_ms) / 1000
    ).astimezone()
    text = text.strip().lower()
    found = _iso_day(text) or (None if _WITHOUT_YEAR.fullmatch(text) else _day(text, option, now))
    if found is None:
        raise ConfigError(
            f"{option}: expected a date such as 2026-03-31, found {text!r}.",
            f"Write for example {option} {now:%Y-%m-%d} or {option} {now.day}.{now.month}.{now.year}",
        )
    return found


def _iso(text: str) -> datetime.datetime | None:
    """With its zone, or without one (naive); a date alone is the first moment of that day."""
    if day := _iso_day(text):
        return begin_of(day) if _YEARS[0] <= day.year <= _YEARS[1] else None
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if _YEARS[0] <= moment.year <= _YEARS[1] else None


def _iso_day(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


def _said(text: str, option: str, now: datetime.datetime) -> datetime.datetime | None:
    """A day, a time, or both with a blank between them; naive, or None when it is no such form."""
    if (clock := _clock(text)) is not None:
        return _last(clock, now)
    head, _, rest = text.rpartition(" ")
    clock = _clock(rest) if head else None
    typed_day = text if clock is None else head.strip()
    day = _iso_day(typed_day) or _day(typed_day, option, now)
    if day is None or not _YEARS[0] <= day.year <= _YEARS[1]:
        return None
    return begin_of(day) if clock is None else datetime.datetime.combine(day, clock)


def _last(clock: datetime.time, now: datetime.datetime) -> datetime.datetime:
    """The last time that clocks here showed this, as a naive time."""
    found = datetime.datetime.combine(now.date(), clock)
    return found if found <= now.replace(tzinfo=None) else found - _DAY


def _clock(text: str) -> datetime.time | None:
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    try:
        return datetime.time.fromisoformat(":".join(f"{int(part or 0):02d}" for part in match.groups()))
    except ValueError:
        return None


def _day(text: str, option: str, now: datetime.datetime) -> datetime.date | None:
    """`today`, `31.3.2026`, `31.3.`, or a form with slashes that can mean one day."""
    if text in _DAYS_AGO:
        return now.date() - _DAYS_AGO[text] * _DAY
    if match := _POINTS.fullmatch(text):
        day, month, year = (int(part or 0) for part in match.groups())
        found = next(_days(year or now.year, (month, day)), None)
        is_ahead = not year and found is not None and found > now.date()
        return next(_days(now.year - 1, (month, day)), None) if is_ahead else found
    if match := _SLASHES.fullmatch(text):
        one, other, year = (int(part) for part in match.groups())
        meant = sorted({*_days(year, (one, other), (other, one))})
        if len(meant) > 1:
            raise ConfigError(
                f"{option}: {text} may be {_long(meant[0])} or {_long(meant[1])}.",
                f"Write {meant[0].isoformat()} or {meant[1].isoformat()}.",
            )
        return meant[0] if meant else None
    return None


def _days(year: int, *pairs: tuple[int, int]) -> Iterator[datetime.date]:
    """The days that there are, of (month, day) pairs."""
    for month, day in pairs:
        try:
            found = datetime.date(year, month, day)
        except ValueError:
            continue
        yield found


def _long(day: datetime.date) -> str:
    """`3 April`, which nobody reads in another order."""
    return f"{day.day} {day:%B}"


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
