"""Calls to bluetoothd over the system's D-Bus: what bleak leaves to the desktop."""

import asyncio
from contextlib import suppress
from typing import Any

from dbus_fast import Variant
from dbus_fast.aio import MessageBus

from host_agent.link.bluez_agent import BluezError, call, system_bus

ADAPTER = "/org/bluez/hci0"
_PROPERTIES = "org.freedesktop.DBus.Properties"
_POLL_S = 0.05


async def set_powered(bus: MessageBus, on: bool) -> None:
    """Switch the adapter, as the desktop's switch does."""
    names = ("org.bluez.Adapter1", "Powered")
    await call(bus, ADAPTER, f"{_PROPERTIES}.Set", "ssv", *names, Variant("b", on))


async def is_powered(bus: MessageBus) -> bool:
    """Whether the adapter is on; BluezError when there is none."""
    (powered,) = await call(bus, ADAPTER, f"{_PROPERTIES}.Get", "ss", "org.bluez.Adapter1", "Powered")
    return bool(powered.value)


async def power_on(timeout_s: float) -> None:
    """Wait until the adapter is there and powered, and power it when bluetoothd did not; TimeoutError otherwise."""
    async with asyncio.timeout(timeout_s), system_bus() as bus:
        while True:
            try:
                if await is_powered(bus):
                    return
                await set_powered(bus, True)
            except BluezError:
                pass  # no adapter yet, or busy powering it
            await asyncio.sleep(_POLL_S)


async def devices(bus: MessageBus) -> dict[str, dict[str, Any]]:
    """{object path: properties} of every device that bluetoothd knows."""
    (objects,) = await call(bus, "/", "org.freedesktop.DBus.ObjectManager.GetManagedObjects")
    return {
        path: {name: value.value for name, value in interfaces["org.bluez.Device1"].items()}
        for path, interfaces in objects.items()
        if "org.bluez.Device1" in interfaces
    }


async def forget_devices() -> None:
    """Disconnect and forget every device, its bond too, as "forget this device" on the desktop."""
    async with system_bus() as bus:
        for path in await devices(bus):
            with suppress(BluezError):  # it was temporary, and went by itself
                await call(bus, ADAPTER, "org.bluez.Adapter1.RemoveDevice", "o", path)
