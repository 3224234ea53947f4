"""Keeps this laptop awake while somebody is monitored: an inhibitor lock of systemd-logind against sleep and the lid.

A laptop that sleeps monitors nobody. Where the lock cannot be had, `warning` says it beforehand, in words for
caregivers. The lock ends with the process, so a crash leaves no laptop awake for ever. A power button, an empty battery
and an administrator are stronger than the lock.
"""

import asyncio
import contextlib
import importlib.util
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

_BUS_FILE = Path("/run/dbus/system_bus_socket")
_NAME, _PATH, _INTERFACE = (
    "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager",
)  # fmt: skip
SLEEP, LID = "sleep", "handle-lid-switch"
_WHY = "A patient is monitored by this laptop"
_ENDS = {SLEEP: "sleep ends monitoring", LID: "a closed lid ends monitoring"}
_DO = "Leave the lid open, plug the laptop in, and switch automatic sleep off in its settings."


class Refused(Exception):  # noqa: N818 (errors are named by their condition)
    """The system gives no lock; the text says why, for engineers."""


class Lock(NamedTuple):
    """One lock that is held; `what` are SLEEP and LID, as far as they are kept away."""

    what: frozenset[str]
    descriptors: tuple[int, ...]

    def release(self) -> None:
        """The laptop may sleep again."""
        for descriptor in self.descriptors:
            with contextlib.suppress(OSError):
                os.close(descriptor)


class Sleeps(Protocol):
    """What keeps a computer awake."""

    async def inhibit(self) -> Lock:
        """A new lock; Refused when there is none at all."""


class Logind:
    """systemd-logind over the system bus; `address` None: the usual one."""

    def __init__(self, address: str | None = None) -> None:
        self._address = address

    async def inhibit(self) -> Lock:
        """Against both together, or against what the system grants. Refused says why nothing was granted."""
        if importlib.util.find_spec("dbus_fast") is None:
            raise Refused("the library for D-Bus is not installed: pip install 'cytowatch[desktop]'")
        address = self._address or system_bus(os.environ)
        if address is None:
            raise Refused("there is no system bus, so no systemd-logind")
        try:
            return Lock(frozenset((SLEEP, LID)), (await _inhibit(address, f"{SLEEP}:{LID}"),))
        except Refused as both:
            held, descriptors = set[str](), []
            for what in (SLEEP, LID):
                with contextlib.suppress(Refused):
                    descriptors.append(await _inhibit(address, what))
                    held.add(what)
            if not held:
                raise both from None
            return Lock(frozenset(held), tuple(descriptors))


class NotKnownHere:
    """A system on which this program keeps nothing awake."""

    async def inhibit(self) -> Lock:
        raise Refused(f"this program does not keep {sys.platform} awake")


def sleeps_of_this_system() -> Sleeps:
    return Logind() if sys.platform == "linux" else NotKnownHere()


def system_bus(environ: Mapping[str, str]) -> str | None:
    """The address of the system bus; None: there is none."""
    if address := environ.get("DBUS_SYSTEM_BUS_ADDRESS"):
        return address
    return f"unix:path={_BUS_FILE}" if _BUS_FILE.exists() else None


async def _inhibit(address: str, what: str) -> int:
    """The descriptor of one lock, our own to close."""
    import dbus_fast  # noqa: PLC0415 (an extra)
    from dbus_fast.aio import MessageBus  # noqa: PLC0415

    bus: MessageBus | None = None
    try:
        bus = await MessageBus(bus_address=address, negotiate_unix_fd=True).connect()
        answer = await bus.call(
            dbus_fast.Message(
                destination=_NAME, path=_PATH, interface=_INTERFACE, member="Inhibit", signature="ssss",
                body=[what, "CytoWatch", _WHY, "block"],
            )
        )  # fmt: skip
    except Exception as error:  # the library answers a bus that is none with exceptions of many kinds
        raise Refused(f"the system bus does not serve ({error or type(error).__name__})") from None
    finally:
        if bus is not None:
            bus.disconnect()
    if answer is None or answer.message_type is dbus_fast.MessageType.ERROR:
        said = str(answer.body[0]) if answer is not None and answer.body else "no answer"
        raise Refused(f"systemd-logind refuses: {said}")
    try:
        return os.dup(answer.unix_fds[answer.body[0]])
    except (IndexError, TypeError, OSError):
        raise Refused("systemd-logind gave no descriptor") from None
    finally:
        for descriptor in answer.unix_fds or ():
            with contextlib.suppress(OSError):
                os.close(descriptor)


def warning(lock: Lock | None, why: str) -> str:
    """What must be known beforehand; "" when neither sleep nor the lid ends monitoring. `why` for engineers."""
    missing = [text for what, text in _ENDS.items() if lock is None or what not in lock.what]
    if not missing:
        return ""
    reason = f" ({why})" if why else ""
    return f"{' and '.join(missing).capitalize()} here. {_DO}{reason}"


async def within(seconds: float, sleeps: Sleeps) -> Lock:
    """`inhibit` with a deadline in real seconds; Refused when nobody answers."""
    try:
        async with asyncio.timeout(seconds):
            return await sleeps.inhibit()
    except TimeoutError:
        raise Refused(f"no answer within {seconds:g} s") from None
