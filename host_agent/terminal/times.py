"""Points in time and durations as typed on the command line."""

import datetime
import re

from host_agent.errors import ConfigError

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
    """ISO 8601 date or time in UTC ms; without a zone it is this computer's. ConfigError names the option."""
    try:
        moment = datetime.datetime.fromisoformat(text.strip())
    except ValueError:
        raise ConfigError(
            f"{option}: expected a time such as 2026-03-31T14:05 or 2026-03-31T14:05:00Z, found {text!r}.",
            "Try --help.",
        ) from None
    if moment.tzinfo is None:
        moment = moment.astimezone()
    return round(moment.timestamp() * 1000)
