"""The clocks of an agent: real, or N times faster for simulations.

Two clocks run in an agent: the board clock (scaled in a simulation: heartbeats, staleness, escalation steps) and
the link clock (always real: deadlines, back-off, release windows).
"""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """`utc_ms` is wall time as integer milliseconds, `monotonic` seconds that never go back."""

    @property
    def speed(self) -> float:
        """How many of this clock's seconds pass in one real second."""
        ...

    def utc_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds` of this clock."""
        ...


class RealClock:
    """The computer's own clock."""

    speed = 1.0
    # Linux's monotonic clock stands while a laptop sleeps; CLOCK_BOOTTIME counts on.
    _COUNTS_ON = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

    def utc_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, the time asleep included where the system counts it."""
        return time.clock_gettime(self._COUNTS_ON)

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds` real seconds."""
        await asyncio.sleep(seconds)


class ScaledClock:
    """A clock that starts at the real time and runs `speed` times faster; only for simulations."""

    def __init__(self, speed: float, base: Clock | None = None) -> None:
        if speed <= 0:
            raise ValueError("speed must be above 0")
        self.speed = float(speed)
        self._base: Clock = base or RealClock()
        self._utc_start_ms = self._base.utc_ms()
        self._start_s = self._base.monotonic()

    def utc_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC, as simulated."""
        return self._utc_start_ms + round((self._base.monotonic() - self._start_s) * self.speed * 1000)

    def monotonic(self) -> float:
        """Simulated seconds since an arbitrary moment; never goes back."""
        return (self._base.monotonic() - self._start_s) * self.speed

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds` simulated seconds."""
        await self._base.sleep(seconds / self.speed)


async def sleep_or_event(clock: Clock, seconds: float, event: asyncio.Event) -> None:
    """Wait `seconds` of this clock, or until the event is set."""
    sleep = asyncio.ensure_future(clock.sleep(seconds))
    woken = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait([sleep, woken], return_when=asyncio.FIRST_COMPLETED)
    finally:
        sleep.cancel()
        woken.cancel()
