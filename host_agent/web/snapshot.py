"""What the page shows now, read at most once in a second however many browsers look."""

import asyncio
from typing import Any

from host_agent.clock import Clock
from host_agent.control.parts import Parts
from host_agent.control.status import status_values
from host_agent.errors import StoreError
from host_agent.views.page import page_state

_FRESH_S = 0.9


class Snapshot:
    """One for each page; `clock` is real."""

    def __init__(self, parts: Parts, clock: Clock) -> None:
        self._parts = parts
        self._clock = clock
        self._lock = asyncio.Lock()
        self._read_s = -_FRESH_S
        self._state: dict[str, Any] = {}

    async def state(self, *, fresh: bool = False) -> dict[str, Any]:
        """As `views.page.page_state`; `fresh` after something was changed."""
        async with self._lock:
            now_s = self._clock.monotonic()
            if fresh or now_s - self._read_s >= _FRESH_S:
                self._state, self._read_s = await self._read(), now_s
            return self._state

    async def _read(self) -> dict[str, Any]:
        parts = self._parts
        live = await status_values(parts)
        keys = parts.keys()
        try:
            return await parts.store.read(lambda tx: page_state(tx, keys, live["now_utc_ms"], live))
        except StoreError as error:  # what the wearables say now is shown all the same
            return page_state(None, keys, live["now_utc_ms"], live, problem=f"{error} {error.advice}")
