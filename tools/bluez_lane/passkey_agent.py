"""A pairing agent that types in a passkey, as a person at the bedside laptop would who reads it off the wearable."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from dbus_fast import DBusError
from dbus_fast.annotations import DBusObjectPath, DBusUInt32
from dbus_fast.service import ServiceInterface, dbus_method

from tools.bluez_lane.bus import call, system_bus

# D-Bus object paths and capability names are BlueZ's: org.bluez.Agent1 and org.bluez.AgentManager1
_PATH = "/tools/bluez_lane/agent"
_MANAGER = "/org/bluez"
_CAPABILITY = "KeyboardOnly"

Ask = Callable[[str], Awaitable[int | None]]


class PasskeyAgent(ServiceInterface):
    """Answers a request for a passkey with what `ask(device path)` returns; None refuses. Nothing else is granted."""

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
        """Pairing without a passkey: what an attacker in the middle would ask for."""
        raise DBusError("org.bluez.Error.Rejected", "only with a passkey")

    @dbus_method(name="Cancel")
    def cancel(self) -> None:
        """The request is over, answered or not."""

    @dbus_method(name="Release")
    def release(self) -> None:
        """bluetoothd forgets this agent."""


@asynccontextmanager
async def passkey_agent(ask: Ask) -> AsyncIterator[PasskeyAgent]:
    """Be the agent that every pairing of this machine asks, for as long as the block runs."""
    agent = PasskeyAgent(ask)
    async with system_bus() as bus:
        bus.export(_PATH, agent)
        await call(bus, _MANAGER, "org.bluez.AgentManager1.RegisterAgent", "os", _PATH, _CAPABILITY)
        await call(bus, _MANAGER, "org.bluez.AgentManager1.RequestDefaultAgent", "o", _PATH)
        yield agent
