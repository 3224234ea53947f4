"""Types the passkey for BlueZ when no desktop does, on Linux only. bleak brings D-Bus with it.

async with passkey_agent(ask):      # every pairing of this machine asks it for as long as the block runs
    await client.pair()
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from dbus_fast import BusType, DBusError, Message, MessageType
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusObjectPath, DBusUInt32
from dbus_fast.service import ServiceInterface, dbus_method

# names and capability are BlueZ's: org.bluez.Agent1 and org.bluez.AgentManager1
_PATH = "/cytowatch/agent"
_MANAGER = "/org/bluez"
_CAPABILITY = "KeyboardOnly"

Ask = Callable[[str], Awaitable[int | None]]


class BluezError(Exception):
    """bluetoothd refused; the message is its own text."""


class PasskeyAgent(ServiceInterface):
    """Answers a request for a passkey with the result of `ask(device path)`; None refuses. All other requests fail."""

    def __init__(self, ask: Ask) -> None:
        super().__init__("org.bluez.Agent1")
        self._ask = ask
        self.asked = 0

    @dbus_method(name="RequestPasskey")
    async def request_passkey(self, device: DBusObjectPath) -> DBusUInt32:
        """The six digits that the device shows."""
        self.asked += 1
        passkey = await self._ask(device)
        if passkey is None:
            raise DBusError("org.bluez.Error.Rejected", "no passkey")
        return passkey

    @dbus_method(name="RequestAuthorization")
    def request_authorization(self, device: DBusObjectPath) -> None:
        """Refuse pairing without a passkey: an attacker in the middle would ask for it."""
        raise DBusError("org.bluez.Error.Rejected", "only with a passkey")

    @dbus_method(name="Cancel")
    def cancel(self) -> None:
        """The request is over, answered or not."""

    @dbus_method(name="Release")
    def release(self) -> None:
        """bluetoothd no longer uses this agent."""


@asynccontextmanager
async def system_bus() -> AsyncIterator[MessageBus]:
    """A connection to the system's bus while the block runs."""
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    try:
        yield bus
    finally:
        bus.disconnect()


async def call(bus: MessageBus, path: str, member: str, signature: str = "", *body: Any) -> list[Any]:
    """Call `INTERFACE.METHOD` of one of bluetoothd's objects and return its answer; BluezError when it refuses."""
    interface, _, method = member.rpartition(".")
    reply = await bus.call(
        Message(
            destination="org.bluez", path=path, interface=interface, member=method, signature=signature,
            body=list(body),
        )
    )  # fmt: skip
    if reply is None or reply.message_type is MessageType.ERROR:
        said = f"{reply.error_name}: {reply.body}" if reply else "no answer"
        raise BluezError(f"{member}: {said}")
    return list(reply.body)


@asynccontextmanager
async def passkey_agent(ask: Ask) -> AsyncIterator[PasskeyAgent]:
    """Answer every pairing of this machine while the block runs."""
    agent = PasskeyAgent(ask)
    async with system_bus() as bus:
        bus.export(_PATH, agent)
        await call(bus, _MANAGER, "org.bluez.AgentManager1.RegisterAgent", "os", _PATH, _CAPABILITY)
        await call(bus, _MANAGER, "org.bluez.AgentManager1.RequestDefaultAgent", "o", _PATH)
        yield agent


@asynccontextmanager
async def typing_passkey(passkey: int) -> AsyncIterator[None]:
    """`passkey_agent` with one answer."""

    async def answer(_device: str) -> int:
        return passkey

    async with passkey_agent(answer):
        yield
