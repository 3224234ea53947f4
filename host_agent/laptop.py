"""What the agent has of the computer on which it runs: its loudspeaker, its sleep, its battery, its service manager.

An agent of a test has none of it: `NO_LAPTOP`. `cytowatch run` takes `this_laptop`.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import NamedTuple

from host_agent.clock import Clock, RealClock
from host_agent.config.sound import SoundSection
from host_agent.platform.power_supply import Power, read_power
from host_agent.platform.service_notify import ServiceManager
from host_agent.platform.sleep import Sleeps, sleeps_of_this_system
from host_agent.sound.speaker import Speaker

_LOG = logging.getLogger(__name__)


class Laptop(NamedTuple):
    """None: this agent does without. `simulated`: simulated wearables sound too."""

    speaker: Speaker | None = None
    simulated: bool = False
    sleeps: Sleeps | None = None
    read_power: Callable[[], Power] | None = None
    manager: ServiceManager | None = None


NO_LAPTOP = Laptop()


def this_laptop(sound: SoundSection, clock: Clock | None = None) -> Laptop:
    """As the configuration wants it, and as the system has it."""
    speaker = Speaker(sound.volume, clock or RealClock()) if sound.enabled else None
    return Laptop(speaker, sound.simulated, sleeps_of_this_system(), read_power, ServiceManager())


async def feed(manager: ServiceManager, hanging: Callable[[], list[str]], clock: Clock) -> None:
    """Feed the service manager's watchdog while the loop runs and no check hangs, until cancelled.

    A program that hangs is not fed: the manager ends it and starts it again, and meanwhile the wearable alarms.
    """
    if manager.feed_every_s is None:
        await asyncio.Event().wait()
        return
    said: list[str] = []
    while True:
        names = hanging()
        if not names:
            manager.feed()
        elif names != said:
            text = f"not fed: these checks hang: {', '.join(names)}"
            _LOG.error("%s", text)
            manager.stuck(text)
        said = names
        await clock.sleep(manager.feed_every_s)
