"""The wearable's battery, from the voltages that it reports: steady percent, and hours left by how fast it fell.

A board that does not measure its battery reports 0 mV: then percent and hours are unknown. Hours are also unknown
while the battery charges, and until it was seen falling for an hour.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from crs_core import battery

WINDOW_MS = 6 * 3_600_000
SPAN_MIN_MS = 3_600_000
FALL_MIN_PERCENT = 5
_MEAN_OF = 3  # voltages at either end: a single one depends on the load at its moment
_RISE_MV = 60  # a rise above this is charging, not the end of a load


class Heard(NamedTuple):
    """One report of the wearable."""

    utc_ms: int
    battery_mv: int


@dataclass
class Battery:
    """The battery of one wearable since the agent started."""

    percent: int | None = None
    is_charging: bool = False
    heard_utc_ms: int | None = None
    _fall: deque[Heard] = field(default_factory=deque)

    def heard(self, utc_ms: int, battery_mv: int, *, is_charging: bool) -> None:
        """Take in one voltage; 0 mV means that it was not measured."""
        self.heard_utc_ms = utc_ms
        self.is_charging = is_charging
        self.percent = battery.steady(battery.percent(battery_mv), self.percent)
        if is_charging or self.percent is None:
            self._fall.clear()
            return
        if self._fall and (
            utc_ms <= self._fall[-1].utc_ms or battery_mv > self._fall[-1].battery_mv + _RISE_MV
        ):
            self._fall.clear()
        self._fall.append(Heard(utc_ms, battery_mv))
        while utc_ms - self._fall[0].utc_ms > WINDOW_MS:
            self._fall.popleft()

    @property
    def hours_left(self) -> int | None:
        """Whole hours until 0 % at the rate of the last hours; None: unknown."""
        if len(self._fall) < 2 * _MEAN_OF:
            return None
        heard = list(self._fall)
        first, last = _mean(heard[:_MEAN_OF]), _mean(heard[-_MEAN_OF:])
        start, now = battery.percent(first.battery_mv), battery.percent(last.battery_mv)
        span_ms = last.utc_ms - first.utc_ms
        if start is None or now is None or span_ms < SPAN_MIN_MS or start - now < FALL_MIN_PERCENT:
            return None
        return now * span_ms // (start - now) // 3_600_000

    def values(self) -> dict[str, Any]:
        """For JSON; None: unknown."""
        return {
            "percent": self.percent,
            "hours_left": self.hours_left,
            "charging": self.is_charging if self.heard_utc_ms is not None else None,
            "heard_utc_ms": self.heard_utc_ms,
        }


def _mean(heard: list[Heard]) -> Heard:
    return Heard(
        sum(one.utc_ms for one in heard) // len(heard), sum(one.battery_mv for one in heard) // len(heard)
    )


def battery_text(values: dict[str, Any]) -> str:
    """The result of `values` as one line for people."""
    if values["percent"] is None:
        return "not known, the wearable does not measure it"
    text = f"about {values['percent']} %"
    if values["charging"]:
        return f"{text}, charging"
    if values["hours_left"] is None:
        return f"{text}, hours left not known yet"
    if values["hours_left"] < 1:
        return f"{text}, less than an hour left at this rate"
    return f"{text}, about {values['hours_left']} h left at this rate"
