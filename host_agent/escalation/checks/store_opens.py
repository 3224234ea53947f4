"""A store that never opened since the agent started: STORE_FAULT from memory, also while no wearable is in session.

Each look is a write, so it opens the store as soon as the disk lets it. Then the fault is stored, and the agent reads
what it could not read at its start.
"""

from collections.abc import Callable
from functools import partial

from crs_core.codes import PRIORITY_HIGH, STORE_FAULT

from host_agent.errors import StoreError
from host_agent.escalation.checks.check import CheckParts, Finding
from host_agent.store.db import Tx
from host_agent.sync.commit import note_failure


class StoreOpensCheck:
    """`tell` gets why the store does not open, None when it did at last; `read` then gets the store."""

    name = "store"
    every_s = 5.0
    least_real_s = 1.0

    def __init__(
        self, parts: CheckParts, tell: Callable[[StoreError | None], None], read: Callable[[Tx], None]
    ) -> None:
        self._parts = parts
        self._tell = tell
        self._read = read
        self._failure: StoreError | None = None
        self._is_done = False

    async def look(self) -> None:
        """Try to open it. Once it is open, other parts see its faults."""
        parts = self._parts
        if self._is_done:
            return
        try:
            await parts.store.write(partial(self._opened, utc_ms=parts.clock.utc_ms()))
        except StoreError as error:
            self._failure = error
            self._tell(error)
            parts.alarm_from_memory(None, Finding(STORE_FAULT, PRIORITY_HIGH, str(error)))
        else:
            self._is_done = True
            if self._failure is not None:
                self._tell(None)

    def _opened(self, tx: Tx, utc_ms: int) -> None:
        if self._failure is not None:
            note_failure(tx, self._parts.derive, self._failure, utc_ms)
            self._read(tx)
