"""A clock that moves only when a test moves it, or when somebody sleeps on it."""

import asyncio
import heapq


class FakeClock:
    """`advance` wakes sleepers in order; with `auto` a sleep moves the clock by itself and yields once."""

    def __init__(self, utc_ms: int = 1_800_000_000_000, speed: float = 1.0, auto: bool = False) -> None:
        self.speed = speed
        self.auto = auto
        self.slept: list[float] = []
        self._start_utc_ms = utc_ms
        self._now_s = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = 0

    def utc_ms(self) -> int:
        return self._start_utc_ms + round(self._now_s * 1000)

    def set(self, by_ms: int) -> None:
        """Somebody sets the wall clock; what counts seconds goes on."""
        self._start_utc_ms += by_ms

    def monotonic(self) -> float:
        return self._now_s

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if self.auto:
            self._now_s += seconds
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._order += 1
        heapq.heappush(self._sleepers, (self._now_s + seconds, self._order, future))
        await future

    async def advance(self, seconds: float) -> None:
        """Move on by so much; everyone due wakes at their own time, and tasks get to run in between."""
        until = self._now_s + seconds
        await _settle()
        while self._sleepers and self._sleepers[0][0] <= until:
            due, _, future = heapq.heappop(self._sleepers)
            self._now_s = max(self._now_s, due)
            if not future.done():
                future.set_result(None)
            await _settle()
        self._now_s = until
        await _settle()


async def _settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)
