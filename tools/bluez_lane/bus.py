"""Calls to bluetoothd over the system's D-Bus: what bleak leaves to the desktop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

ADAPTER = "/org/bluez/hci0"
_POLL_S = 0.05


class BluezError(Exception):
    """bluetoothd said no; the message holds its own words."""


@asynccontextmanager
async def system_bus() -> AsyncIterator[MessageBus]:
    """A connection to the system's bus for as long as it is used."""
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    try:
        yield bus
    finally:
        bus.disconnect()


async def call(bus: MessageBus, path: str, member: str, signature: str = "", *body: Any) -> list[Any]:
    """Call `INTERFACE.METHOD` of one of bluetoothd's objects; returns what it answers."""
    interface, _, method = member.rpartition(".")
    reply = await bus.call(
        Message(
            destination="org.bluez",
            path=path,
            interface=interface,
            member=method,
            signature=signature,
            body=list(body),
        )
    )
    if reply is None or reply.message_type is MessageType.ERROR:
        raise BluezError(
            f"{member}: {reply.error_name if reply else 'no answer'}: {reply.body if reply else ''}"
        )
    return list(reply.body)


async def power_on(timeout_s: float) -> None:
    """Wait until the adapter is there and powered, and power it when bluetoothd did not; TimeoutError otherwise."""
    async with asyncio.timeout(timeout_s), system_bus() as bus:
        while True:
            try:
                properties = "org.freedesktop.DBus.Properties"
                names = ("org.bluez.Adapter1", "Powered")
                (powered,) = await call(bus, ADAPTER, f"{properties}.Get", "ss", *names)
                if powered.value:
                    return
                await call(bus, ADAPTER, f"{properties}.Set", "ssv", *names, Variant("b", True))
            except BluezError:
                pass  # no adapter yet, or busy powering it
            await asyncio.sleep(_POLL_S)
