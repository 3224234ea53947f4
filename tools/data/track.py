"""True values over time: keyframes of a scenario or rows of a recording, joined by straight lines."""

from bisect import bisect_right
from dataclasses import dataclass, field

DEFAULT_PI_PCT = 1.5  # perfusion index of a warm finger, used where a track gives none


@dataclass(frozen=True)
class Point:
    """Values at one moment; None = that probe is off."""

    t_s: float
    temp_c: float | None
    spo2_pct: float | None
    hr_bpm: float | None
    pi_pct: float = DEFAULT_PI_PCT


@dataclass(frozen=True)
class Action:
    """A control command (see control.py) that runs once at a moment of the track."""

    t_s: float
    command: dict[str, object]


@dataclass
class Track:
    """Points in order of time. The first point's values apply before it, the last point's values after it.

    Points at most `join_s` apart are joined by straight lines; before a point without a value the earlier value stays.
    Over a longer gap the earlier values last for `hold_s`, then all probes are off.
    """

    points: list[Point]
    title: str = ""
    join_s: float = float("inf")
    hold_s: float = 60.0
    actions: list[Action] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.points:
            raise ValueError("a track needs at least one point")
        self._times = [point.t_s for point in self.points]

    @property
    def end_s(self) -> float:
        """Time of the last point."""
        return self._times[-1]

    def _around(self, t_s: float) -> tuple[Point, Point, float] | None:
        """The points before and after and the position between them (0..1); None in a gap."""
        i = bisect_right(self._times, t_s) - 1
        if i < 0:
            return self.points[0], self.points[0], 0.0
        before = self.points[i]
        if i + 1 >= len(self.points):
            return before, before, 0.0
        after = self.points[i + 1]
        span = after.t_s - before.t_s
        if span > self.join_s:
            return (before, before, 0.0) if t_s - before.t_s <= self.hold_s else None
        return before, after, (t_s - before.t_s) / span

    def temp_c(self, t_s: float) -> float | None:
        """Temperature at the site, None while the thermometer is off."""
        around = self._around(t_s)
        return None if around is None else _join(around[0].temp_c, around[1].temp_c, around[2])

    def optical(self, t_s: float) -> tuple[float, float, float] | None:
        """(spo2_pct, hr_bpm, pi_pct), None while the optical probe is off."""
        around = self._around(t_s)
        if around is None:
            return None
        before, after, share = around
        spo2 = _join(before.spo2_pct, after.spo2_pct, share)
        hr = _join(before.hr_bpm, after.hr_bpm, share)
        if spo2 is None or hr is None:
            return None
        pi = before.pi_pct
        # A pulse does not fade out: it ends at once.
        if pi and after.pi_pct and after.spo2_pct is not None:
            pi += (after.pi_pct - pi) * share
        return spo2, hr, pi


def _join(before: float | None, after: float | None, share: float) -> float | None:
    if before is None or after is None:
        return before
    return before + (after - before) * share
