"""On Linux: answers BlueZ's question for the passkey while this laptop pairs, so that no desktop is needed.

Registered at org.bluez.AgentManager1 as KeyboardOnly for as long as the block runs; Just Works is refused.
"""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

_PATH = "/cytowatch/agent"
_MANAGER_PATH = "/org/bluez"
_MANAGER = "org.bluez.AgentManager1"


def _agent(passkey: int) -> Any:
    from dbus_fast import DBusError  # noqa: PLC0415 only on Linux, where bleak brings it
    from dbus_fast.annotations import DBusObjectPath, DBusUInt32  # noqa: PLC0415
    from dbus_fast.service import ServiceInterface, dbus_method  # noqa: PLC0415

    class Agent(ServiceInterface):
        """org.bluez.Agent1 with one answer."""

        @dbus_method(name="RequestPasskey")
        def request_passkey(self, device: DBusObjectPath) -> DBusUInt32:
            """The six digits."""
            return passkey

        @dbus_method(name="RequestAuthorization")
        def request_authorization(self, device: DBusObjectPath) -> None:
            """Pairing without a passkey is what an attacker in the middle would ask for."""
            raise DBusError("org.bluez.Error.Rejected", "only with a passkey")

        @dbus_method(name="Cancel")
        def cancel(self) -> None:
            """The request is over."""

        @dbus_method(name="Release")
        def release(self) -> None:
            """BlueZ forgets this agent."""

    return Agent("org.bluez.Agent1")


@contextlib.asynccontextmanager
async def typing_passkey(passkey: int) -> AsyncIterator[None]:
    """Be the agent that pairings of this machine ask; OSError or DBusError when BlueZ is not there."""
    from dbus_fast import BusType, Message, MessageType  # noqa: PLC0415
    from dbus_fast.aio import MessageBus  # noqa: PLC0415

    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    try:
        bus.export(_PATH, _agent(passkey))
        for member, signature, body in (
            ("RegisterAgent", "os", [_PATH, "KeyboardOnly"]),
            ("RequestDefaultAgent", "o", [_PATH]),
        ):
            reply = await bus.call(
                Message(
                    destination="org.bluez", path=_MANAGER_PATH, interface=_MANAGER, member=member,
                    signature=signature, body=body,
                )
            )  # fmt: skip
            if reply is None or reply.message_type is MessageType.ERROR:
                raise OSError(
                    f"BlueZ refuses the pairing agent: {reply.error_name if reply else 'no answer'}"
                )
        yield
    finally:
        bus.disconnect()
