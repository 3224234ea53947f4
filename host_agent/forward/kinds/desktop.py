"""Show an event as a note on the screen of this laptop, over D-Bus (the Desktop Notifications specification).

A note counts only when a program that shows notes gave it a number. Without a session bus, or with a bus on which
nobody shows notes, the attempt failed.
"""

import asyncio
import html
import importlib
import importlib.util
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from host_agent.errors import ConfigError
from host_agent.forward.delivery import Delivered, Delivery, Outcome, RetryAfter
from host_agent.forward.message import Message, cut, one_line, read_message
from host_agent.forward.receiver import Receiver

if TYPE_CHECKING:
    from dbus_fast.aio import MessageBus

_NOTES, _PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"
_URGENT, _USUAL = 2, 1  # urgent notes stay until somebody closes them
_FOR_EVER, _AS_THE_DESKTOP_LIKES = 0, -1
_LONGEST_SUMMARY, _LONGEST_BODY = 120, 1000
_REMEMBERED = 1000
# Part of the name of an error of the bus -> what it means here.
_WHY = {
    "ServiceUnknown": "no program shows notes on this desktop",
    "Error.Spawn": "the program that shows notes does not start",
    "NoReply": "the program that shows notes does not answer",
}


class DesktopReceiver(Receiver):
    """Notes on the screen of this laptop. Needs pip install 'cytowatch[desktop]'."""

    example: ClassVar[dict[str, Any]] = {"name": "screen"}

    bus: str | None = Field(
        default=None,
        description="Address of the session bus, such as unix:path=/run/user/1000/bus. Without it: that of the session"
        " in which the agent runs, else that of its user.",
    )

    def forwarder(self, utc_ms: Callable[[], int]) -> "Desktop":
        self._check_library()
        importlib.import_module("dbus_fast.aio")  # now, and not when the first note is due
        return Desktop(self.name, self.bus, timeout_s=self.timeout_s, accept_simulated=self.accept_simulated)

    def problems(self) -> Iterator[ConfigError]:
        yield from super().problems()
        try:
            self._check_library()
        except ConfigError as error:
            yield error

    def _check_library(self) -> None:
        if importlib.util.find_spec("dbus_fast") is None:
            raise ConfigError(
                f"desktop {self.name}: the library for notes on the screen is not installed.",
                "Type: pip install 'cytowatch[desktop]'",
            )

    def proves(self) -> str:
        return (
            "the desktop took the note; whether the screen is on and notes are not silenced, it does not say"
        )

    def shown_address(self) -> str:
        return self.bus or "the screen of this laptop"


class Desktop:
    """One screen. A reminder is a new note in place of the old one, so that it is shown again."""

    def __init__(self, name: str, bus: str | None, *, timeout_s: float, accept_simulated: bool) -> None:
        self.name = name
        self.accept_simulated = accept_simulated
        self._bus = bus
        self._timeout_s = timeout_s
        self._numbers: dict[str, int] = {}  # of the note of each event

    async def send(self, delivery: Delivery) -> Outcome:
        """Show one note within timeout_s in all."""
        from dbus_fast.errors import DBusError  # noqa: PLC0415 (only who has notes has the library)

        address = self._bus or session_bus(os.environ)
        if address is None:
            return RetryAfter("not shown: there is no session bus, so nobody is signed in at the screen")
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._show(address, read_message(delivery))
        except TimeoutError:
            return RetryAfter(f"not shown: no answer of the desktop within {self._timeout_s:g} s")
        except DBusError as error:
            return RetryAfter(f"not shown: {one_line(str(error.text or error.type), 120)}")
        except Exception as error:  # the library answers a bus that is none with exceptions of many kinds
            return RetryAfter(
                f"not shown: the session bus does not serve ({one_line(str(error), 120) or type(error).__name__})"
            )

    async def close(self) -> None:
        """Nothing is kept open between notes."""

    async def _show(self, address: str, message: Message) -> Outcome:
        from dbus_fast.aio import MessageBus  # noqa: PLC0415

        bus = await MessageBus(bus_address=address).connect()
        try:
            known = self._numbers.pop(message.key, 0)
            if known and message.rings:
                await _call(bus, "CloseNotification", "u", [known])
                known = 0
            (number,) = await _call(bus, "Notify", "susssasa{sv}i", _note(message, known))
        finally:
            bus.disconnect()
        if not isinstance(number, int) or number < 1:
            return RetryAfter("not shown: the desktop gave the note no number")
        self._numbers[message.key] = number
        while len(self._numbers) > _REMEMBERED:
            del self._numbers[next(iter(self._numbers))]
        return Delivered(f"note {number}")


def _note(message: Message, replaces: int) -> list[Any]:
    """The arguments of Notify."""
    from dbus_fast import Variant  # noqa: PLC0415

    headline, rest = message.headline
    is_urgent = message.rings and message.priority == "HIGH"
    hints = {
        "urgency": Variant("y", _URGENT if is_urgent else _USUAL),
        "category": Variant("s", "device"),
        "desktop-entry": Variant("s", "cytowatch"),
    }
    return [
        "CytoWatch", replaces, "dialog-warning", cut(headline, _LONGEST_SUMMARY),
        # the body is markup on most desktops
        html.escape(cut(rest or headline, _LONGEST_BODY), quote=False), [], hints,
        _FOR_EVER if message.rings else _AS_THE_DESKTOP_LIKES,
    ]  # fmt: skip


async def _call(bus: "MessageBus", member: str, signature: str, body: list[Any]) -> list[Any]:
    """What the desktop answers; DBusError when nobody shows notes, or when it refuses."""
    import dbus_fast  # noqa: PLC0415

    answer = await bus.call(
        dbus_fast.Message(
            destination=_NOTES, path=_PATH, interface=_NOTES, member=member, signature=signature, body=body
        )
    )
    if answer is None or answer.message_type is dbus_fast.MessageType.ERROR:
        name = (answer.error_name if answer is not None else None) or dbus_fast.ErrorType.FAILED.value
        said = str(answer.body[0]) if answer is not None and answer.body else ""
        raise dbus_fast.DBusError(name, next((w for part, w in _WHY.items() if part in name), said))
    return list(answer.body)


def session_bus(environ: Mapping[str, str]) -> str | None:
    """The address of the session bus of this user; None: there is none."""
    if address := environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return address
    socket = Path(environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}") / "bus"
    return f"unix:path={socket}" if socket.exists() else None
