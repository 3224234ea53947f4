"""Finds the session, link or wearable that a command means: the named one, or the only one."""

import os
from collections.abc import Awaitable, Callable
from typing import TypeVar

from host_agent.errors import HostAgentError, SessionClosed
from host_agent.link.supervisor import LinkState, LinkSupervisor
from host_agent.store.bindings import open_bindings
from host_agent.store.db import Tx
from host_agent.sync.engine import SyncEngine
from host_agent.sync.links import Links

_NEW_HELLO_S = 3.0  # real: a new session on a link that is open
_NEXT_SESSION_S = 4.0  # real: the same where the link begins anew too, as a radio link does
T = TypeVar("T")


class NoSession(HostAgentError):  # noqa: N818 named by the condition, as in errors.py
    """The command needs one wearable in session, or one that is bound."""

    code = "no_session"
    default_advice = "Connect the wearable and wait until `cytowatch status` says link open."


async def find_session(links: Links, device: str | None) -> SyncEngine:
    """The session of the wearable whose device id starts with `device`, or the only session; NoSession says why not.

    After a change of journal the wearable says HELLO anew on an open link: that is waited for.
    """
    engines = []
    for port, runner in links.runners.items():
        is_open = links.supervisors[port].report.state == LinkState.OPEN
        engine = await runner.wait_engine(_NEW_HELLO_S if is_open else 0)
        if engine is not None:
            engines.append(engine)
    if device:
        engines = [engine for engine in engines if engine.device_id.hex().startswith(device.lower())]
        if len(engines) != 1:
            raise NoSession(f"No single wearable {device} is in session now.")
        return engines[0]
    if not engines:
        raise NoSession("No wearable is in session now.")
    if len(engines) > 1:
        names = ", ".join(engine.device_id.hex() for engine in engines)
        raise NoSession(f"Several wearables are in session: {names}.", "Choose one with --device.")
    return engines[0]


async def in_session(
    links: Links, device: str | None, ask: Callable[[SyncEngine], Awaitable[T]]
) -> tuple[SyncEngine, T]:
    """(session, what `ask` returns of it). When the session ends midway, it is asked once more in the next one.

    For requests that do no harm twice and concern the wearable, whoever wears it: a patient may have started meanwhile.
    """
    engine = await find_session(links, device)
    try:
        return engine, await ask(engine)
    except SessionClosed:
        engine = await find_session(links, device)
        return engine, await ask(engine)


async def wait_next_session(links: Links, device_id: bytes) -> None:
    """Wait a little for the session after the one that has ended, so that the next command finds it."""
    names = [name for name, report in links.reports.items() if report.device_id == device_id]
    for name in names:
        if await links.runners[name].wait_engine(_NEXT_SESSION_S / len(names)):
            return


def open_sessions(links: Links) -> list[SyncEngine]:
    """Every session on a link that is open."""
    opened = (
        runner
        for port, runner in links.runners.items()
        if links.supervisors[port].report.state == LinkState.OPEN
    )
    return [runner.engine for runner in opened if runner.engine is not None]


def find_link(links: Links, port: str) -> LinkSupervisor:
    """The link on this port, by any of the port's names."""
    wanted = os.path.realpath(port)
    for name, supervisor in links.supervisors.items():
        if os.path.realpath(name) == wanted:
            return supervisor
    known = ", ".join(links.supervisors) or "none"
    raise HostAgentError(f"This agent does not use {port}.", f"It uses: {known}.")


def find_bound_device(tx: Tx, device: str | None) -> int:
    """Row id of the bound wearable whose device id starts with `device`, or of the only bound one."""
    rows = [b.device for b in open_bindings(tx) if b.device_id.hex().startswith((device or "").lower())]
    if len(rows) != 1:
        raise NoSession(f"{len(rows)} wearables match that are bound here.", "Choose one with --device.")
    return rows[0]
