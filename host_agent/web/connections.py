"""Places for browsers: every program of this laptop can connect, and whoever asks nothing gives up the place."""

import asyncio
from itertools import count

from uvicorn.protocols.http.h11_impl import H11Protocol

PLACES = 100
ENDLESS = "/live"
_ORDER = count()


class Connection(H11Protocol):
    """One connection. When all places are taken, the oldest one that asks nothing is closed, else the new one."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """As in uvicorn, with a place."""
        self.order = next(_ORDER)
        if len(self.connections) >= PLACES:
            idle = [one for one in self.connections if isinstance(one, Connection) and not one.is_asking()]
            if not idle:
                super().connection_made(transport)
                self._leave()
                return
            min(idle, key=lambda one: one.order)._leave()
        super().connection_made(transport)

    def shutdown(self) -> None:
        """As in uvicorn; what would never end by itself is ended, before the store is closed under it."""
        super().shutdown()
        if self.is_asking() and self.scope["path"] == ENDLESS:
            self._leave()

    def is_asking(self) -> bool:
        """Whether an answer is under way."""
        return self.cycle is not None and not self.cycle.response_complete

    def _leave(self) -> None:
        self.connections.discard(self)
        self.transport.abort()
