"""Names of machines: looking up that of one receiver never keeps another part of the agent waiting.

A name server that does not answer holds a thread for up to a minute, whatever deadline the attempt has. asyncio's own
look-ups share a few threads with the opening of ports: some such names, and no other receiver and no cable is reached.
"""

import asyncio
import contextlib
import functools
import socket
import threading
from typing import Any


def use_own_threads(loop: asyncio.AbstractEventLoop) -> None:
    """From now on this event loop looks up names by `NameLookups`, whoever asks for them."""
    loop.getaddrinfo = NameLookups(loop).getaddrinfo  # type: ignore[method-assign]


class NameLookups:
    """Each name that is being looked up has one thread of its own, which the end of the process does not wait for."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lookups: dict[tuple[Any, ...], asyncio.Future[list[Any]]] = {}

    async def getaddrinfo(
        self, host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> list[Any]:
        """As that of asyncio's loops. Who asks for a name that is being looked up waits for the same answer."""
        asked = (host, port, family, type, proto, flags)
        found = self._lookups.get(asked)
        if found is None:
            found = self._lookups[asked] = self._loop.create_future()
            found.add_done_callback(functools.partial(self._forget, asked))
            threading.Thread(
                target=self._look_up, args=(asked, found), name="name look-up", daemon=True
            ).start()
        return await asyncio.shield(found)

    def _forget(self, asked: tuple[Any, ...], found: asyncio.Future[list[Any]]) -> None:
        del self._lookups[asked]
        if not found.cancelled():
            found.exception()  # nobody may be waiting any more

    def _look_up(self, asked: tuple[Any, ...], found: asyncio.Future[list[Any]]) -> None:
        try:
            done = functools.partial(_set, found, socket.getaddrinfo(*asked), None)
        except Exception as error:  # OSError, or UnicodeError for a name that none can have
            done = functools.partial(_set, found, [], error)
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            self._loop.call_soon_threadsafe(done)


def _set(found: asyncio.Future[list[Any]], addresses: list[Any], error: Exception | None) -> None:
    if found.done():
        return
    if error is not None:
        found.set_exception(error)
    else:
        found.set_result(addresses)
