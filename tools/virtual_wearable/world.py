"""Simulated time, the track that is played, and the sensors that live in it. All of it survives every reset."""

from collections.abc import Callable

from tools.data.track import Track
from tools.virtual_wearable.axis import Axis, RealAxis
from tools.virtual_wearable.models import max30102, max30205, tmp117
from tools.virtual_wearable.models.i2c_bus import I2cBus
from tools.virtual_wearable.models.wearer import ward_c

THERMOMETERS = {"tmp117": tmp117.Tmp117, "max30205": max30205.Max30205}


class TrackWearer:
    """The wearer whom a track describes; `track_s` maps simulated seconds to track seconds."""

    def __init__(self, track: Track, track_s: Callable[[float], float]) -> None:
        self._track = track
        self._track_s = track_s

    def optical(self, t_s: float) -> tuple[float, float, float] | None:
        """See models/wearer.py."""
        return self._track.optical(self._track_s(t_s))

    def skin_c(self, t_s: float) -> float | None:
        """See models/wearer.py."""
        return self._track.temp_c(self._track_s(t_s))

    def ambient_c(self, t_s: float) -> float:
        """See models/wearer.py."""
        return ward_c(t_s)


class World:
    """The axis × speed since the wearable was started; the track starts at the first I2C access, or by `play`."""

    def __init__(
        self, track: Track, speed: int, hold: bool, seed: int = 1, thermometer: str = "tmp117",
        axis: Axis | None = None,
    ) -> None:  # fmt: skip
        self.speed = speed
        self.held = hold
        self.track = track
        self.axis: Axis = axis or RealAxis()
        self._born_us = self.axis.now_us()
        self._track_start_s: float | None = None
        self.wearer = TrackWearer(track, self.track_s)
        self.ppg = max30102.Max30102(self.wearer, self.now_us, seed)
        self.thermometer = THERMOMETERS[thermometer](self.wearer, self.now_us, seed + 6)
        self.bus = I2cBus({max30102.ADDRESS: self.ppg, tmp117.ADDRESS: self.thermometer})

    def now_us(self) -> int:
        """Simulated microseconds since the wearable was started."""
        return (self.axis.now_us() - self._born_us) * self.speed

    def now_ms(self) -> int:
        """The same in milliseconds."""
        return self.now_us() // 1000

    def touch(self) -> None:
        """The firmware has used the bus: the track starts now, unless held."""
        if self._track_start_s is None and not self.held:
            self.play()

    def play(self) -> None:
        """Start the track now; a running one is not restarted."""
        self.held = False
        if self._track_start_s is None:
            self._track_start_s = self.now_us() / 1e6

    def track_s(self, t_s: float | None = None) -> float:
        """Seconds into the track at simulated second `t_s` (now when None); 0 while it has not started."""
        if self._track_start_s is None:
            return 0.0
        at_s = self.now_us() / 1e6 if t_s is None else t_s
        return max(0.0, at_s - self._track_start_s)

    def axis_s(self, track_s: float) -> float | None:
        """Second of the axis at which the track comes to `track_s`; None while it has not started."""
        if self._track_start_s is None:
            return None
        return self._born_us / 1e6 + (self._track_start_s + track_s) / self.speed

    def truth(self) -> dict[str, object]:
        """The values behind the sensors now."""
        at_s = self.track_s()
        optical = self.track.optical(at_s)
        return {
            "temp_c": self.track.temp_c(at_s),
            "spo2_pct": optical[0] if optical else None,
            "hr_bpm": optical[1] if optical else None,
            "pi_pct": optical[2] if optical else None,
        }
