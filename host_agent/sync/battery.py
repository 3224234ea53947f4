"""The wearable's battery as the agent hears of it: percent that does not flicker, and hours left by its own fall.

A board that does not measure its cell answers 0 mV: then nothing is known, and nothing is shown as empty or full. Hours
are told only after an hour of fall that was seen; before, and while it charges, they are unknown.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from crs_core import battery

WINDOW_MS = 6 * 3_600_000
SPAN_MIN_MS = 3_600_000
FALL_MIN_PERCENT = 5
_MEAN_OF = 3  # voltages at either end: one alone is as wrong as the load of its moment
_RISE_MV = 60  # more than a load that ends gives back: it was charged


class Heard(NamedTuple):
    """One answer of the wearable."""

    utc_ms: int
    battery_mv: int


@dataclass
class Battery:
    """What was heard of one wearable's battery since the agent started."""

    percent: int | None = None
    is_charging: bool = False
    heard_utc_ms: int | None = None
    _fall: deque[Heard] = field(default_factory=deque)

    def heard(self, utc_ms: int, battery_mv: int, *, is_charging: bool) -> None:
        """Take one voltage; 0 mV is no measurement."""
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
        """Whole hours until 0 % if it goes on falling as in the last hours; None: not known."""
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
        """For JSON; None stands for "not known"."""
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
    """One line for people of what `values` gave."""
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
