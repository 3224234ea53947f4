"""A systemd-logind of a test's own, on a bus of its own: it gives out inhibitor locks, and notes which are held."""

import contextlib
import os
import select
from collections.abc import AsyncIterator, Iterable
from typing import Any

import dbus_fast
from dbus_fast.aio import MessageBus

from tools.rig.waiting import until

_NAME = "org.freedesktop.login1"
_GONE_S = 5.0


class Logind:
    """`asked` has the arguments of each Inhibit. What is in `refused` is not granted, alone or with others."""

    def __init__(self, refused: Iterable[str] = ()) -> None:
        self.asked: list[list[str]] = []
        self.refused = set(refused)
        self.is_silent = False
        self._locks: list[tuple[str, int]] = []  # what, and our end of the pipe
        self._given: list[int] = []  # the other ends

    def held(self) -> set[str]:
        """What is inhibited now: a lock counts until its descriptor is closed by who has it."""
        found: set[str] = set()
        for descriptor in self._given:  # sent by now
            os.close(descriptor)
        self._given.clear()
        for what, end in list(self._locks):
            gone = select.select([end], [], [], 0)[0]
            if gone:
                os.close(end)
                self._locks.remove((what, end))
            else:
                found |= set(what.split(":"))
        return found

    def are_gone(self) -> bool:
        """Whether every lock was released; the bus and the kernel may take a moment."""
        until(lambda: not self.held(), _GONE_S, "the release of every lock")
        return True

    def answer(self, message: Any) -> Any:
        """As logind answers on its bus; None for what is not its own."""
        if message.member != "Inhibit" or message.message_type is not dbus_fast.MessageType.METHOD_CALL:
            return None
        self.asked.append(list(message.body))
        if self.is_silent:
            return True
        what = message.body[0]
        if self.refused & set(what.split(":")):
            return dbus_fast.Message.new_error(
                message, "org.freedesktop.DBus.Error.AccessDenied", "Permission denied"
            )
        ours, theirs = os.pipe()
        self._locks.append((what, ours))
        self._given.append(theirs)
        return dbus_fast.Message.new_method_return(message, "h", [0], [theirs])

    def close(self) -> None:
        """End."""
        for end in (*self._given, *(end for _, end in self._locks)):
            os.close(end)


@contextlib.asynccontextmanager
async def logind(address: str, refused: Iterable[str] = ()) -> AsyncIterator[Logind]:
    """On the bus at `address` until the block ends."""
    made = Logind(refused)
    bus = await MessageBus(bus_address=address, negotiate_unix_fd=True).connect()
    bus.add_message_handler(made.answer)
    await bus.request_name(_NAME)
    try:
        yield made
    finally:
        bus.disconnect()
        made.close()
