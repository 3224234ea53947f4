"""Time since boot: one extended millisecond count that never wraps, and board time that may run faster.

Nothing else in the firmware reads a tick counter. `ms()` is what sampling, grading, alarms and heartbeat see;
`real_ms()` is for what happens to people and wires: sound patterns, link deadlines, the watchdog.
"""

import asyncio


class Clock:
    """`ms()` and `real_ms()` count from construction. `speed` > 1 exists only on simulated boards.

    `ticks_ms` and `ticks_diff` are those of the `time` module: the raw count wraps (2^30 on the chips), so
    `real_ms()` must be called at least once every 6 days; the watchdog feed alone does that each second.
    `ticks_us`, when given, replaces `ticks_ms` with a finer count, for a board whose time is sped up.
    """

    def __init__(self, ticks_ms, ticks_diff, speed: int = 1, ticks_us=None) -> None:  # type: ignore[no-untyped-def]
        self._ticks = ticks_us or ticks_ms
        self._per_ms = 1000 if ticks_us else 1
        self._diff = ticks_diff
        self._last = self._ticks()
        self._whole_ms = 0
        self._part = 0  # ticks not yet a whole millisecond of board time
        self._real_ms = 0
        self._real_part = 0
        self.speed = speed

    def _advance(self) -> None:
        now = self._ticks()
        passed = self._diff(now, self._last)
        if passed <= 0:
            return
        self._last = now
        per_ms = self._per_ms
        self._part += passed * self.speed
        self._whole_ms += self._part // per_ms
        self._part %= per_ms
        self._real_part += passed
        self._real_ms += self._real_part // per_ms
        self._real_part %= per_ms

    def ms(self) -> int:
        """Milliseconds of board time since boot; never goes back."""
        self._advance()
        return self._whole_ms

    def real_ms(self) -> int:
        """Milliseconds of real time since boot; never goes back."""
        self._advance()
        return self._real_ms

    def ticks(self) -> int:
        """The raw count: what of a moment nobody else can choose."""
        return self._ticks()  # type: ignore[no-any-return]

    async def sleep_ms(self, wait_ms: int) -> None:
        """Let others run for `wait_ms` of board time (0 or less: one turn)."""
        await asyncio.sleep_ms(max(wait_ms, 0) // self.speed)

    async def sleep_real_ms(self, wait_ms: int) -> None:
        """Let others run for `wait_ms` of real time."""
        await asyncio.sleep_ms(max(wait_ms, 0))
