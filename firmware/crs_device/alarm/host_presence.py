"""Whether a host is listening: judged by its last authenticated message, in board time like the heartbeat."""

from crs_core.compat import const

_HEARTBEATS_MISSED = const(3)
_REAL_FLOOR_MS = const(2000)  # on a sped-up board: what scheduling alone can take


class HostPresence:
    """Counts from the start: a host that was never heard is away like one that fell silent. Times in seconds.

    `may_return(server)`, where it is set, decides whether a message on that link ends a silence that can be an alarm.
    """

    def __init__(self, clock, heartbeat_s: int, low_s: int, alarm_s: int) -> None:  # type: ignore[no-untyped-def]
        self._clock = clock
        self.may_return = None
        self.set_times(heartbeat_s, low_s, alarm_s)
        self._heard_ms = clock.ms()
        self._heard_real_ms = clock.real_ms()

    def set_times(self, heartbeat_s: int, low_s: int, alarm_s: int) -> None:
        """Use other times, in seconds: heartbeat, alarm for a host that is away, the same with an open alarm."""
        self._away_ms = _HEARTBEATS_MISSED * heartbeat_s * 1000
        self._quiet_ms = min(self._away_ms, alarm_s * 1000)
        self._low_ms = low_s * 1000

    def heard(self, server=None) -> None:  # type: ignore[no-untyped-def]
        """An authenticated message came."""
        now_ms = self._clock.ms()
        if self.may_return is not None and self.is_quiet(now_ms) and not self.may_return(server):
            return
        self._heard_ms = now_ms
        self._heard_real_ms = self._clock.real_ms()

    def silence_ms(self, now_ms: int) -> int:
        """Board time since a host was heard."""
        if self._clock.real_ms() - self._heard_real_ms < _REAL_FLOOR_MS * (self._clock.speed > 1):
            return 0
        return now_ms - self._heard_ms

    def is_away(self, now_ms: int) -> bool:
        """Three heartbeats missed: shown by the light alone."""
        return self.silence_ms(now_ms) >= self._away_ms

    def is_quiet(self, now_ms: int) -> bool:
        """Silent long enough that an open alarm must not rely on the host."""
        return self.silence_ms(now_ms) >= self._quiet_ms

    def is_long_away(self, now_ms: int) -> bool:
        """Silent long enough to be an alarm of its own."""
        return self.silence_ms(now_ms) >= self._low_ms
