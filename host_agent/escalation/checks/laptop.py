"""The checks about this laptop itself, and what `status` says of it: sound, sleep, battery."""

from collections.abc import Awaitable, Callable
from typing import Any

from host_agent.clock import Clock
from host_agent.escalation.checks.check import Check, CheckParts
from host_agent.escalation.checks.laptop_battery import LaptopBatteryCheck
from host_agent.escalation.checks.sound import SoundCheck, SwitchedOff
from host_agent.escalation.checks.stays_awake import StaysAwakeCheck
from host_agent.laptop import NO_LAPTOP, Laptop, feed
from host_agent.sound.from_memory import FromMemory, Offer
from host_agent.sound.speaker import state_of


class LaptopWatch:
    """One for each agent. `clock` counts real seconds."""

    def __init__(self, laptop: Laptop, clock: Clock, *, agent_simulated: bool) -> None:
        self._laptop = laptop
        self._clock = clock
        self._agent_simulated = agent_simulated
        self._memory = FromMemory(clock)
        self._battery: LaptopBatteryCheck | None = None
        self._awake: StaysAwakeCheck | None = None

    def beside(self, offer: Offer) -> Offer:
        """`offer`, so that what no store holds is heard here too."""
        return self._memory.beside(offer) if self._laptop.speaker is not None else offer

    def checks(self, parts: CheckParts) -> list[Check]:
        """Those for what this laptop has."""
        has, found = self._laptop, list[Check]()
        if has != NO_LAPTOP:
            sound = SoundCheck(
                parts, has.speaker or SwitchedOff(), self._memory,
                simulated=has.simulated, agent_simulated=self._agent_simulated,
            )  # fmt: skip
            found.append(sound)
        if has.read_power is not None:
            self._battery = LaptopBatteryCheck(parts, has.read_power)
            found.append(self._battery)
        if has.sleeps is not None:
            self._awake = StaysAwakeCheck(parts, has.sleeps)
            found.append(self._awake)
        return found

    def jobs(self, hanging: Callable[[], list[str]]) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        """What runs beside the checks; `hanging` names the checks that hang."""
        has, found = self._laptop, list[tuple[str, Callable[[], Awaitable[None]]]]()
        if has.speaker is not None:
            found.append(("sound", has.speaker.run))
        if has.manager is not None:
            manager = has.manager
            found.append(("service manager", lambda: feed(manager, hanging, self._clock)))
        return found

    def ready(self) -> None:
        """The agent runs."""
        if self._laptop.manager is not None:
            self._laptop.manager.ready("monitoring; see cytowatch status")

    def stopping(self, why: str) -> None:
        """The agent ends in order."""
        if self._laptop.manager is not None:
            self._laptop.manager.stopping(why)

    def close(self) -> None:
        """Let the laptop sleep again."""
        if self._awake is not None:
            self._awake.close()

    def values(self) -> dict[str, Any] | None:
        """In JSON types, each with a `text` for people; None for an agent without a laptop."""
        if self._laptop == NO_LAPTOP:
            return None
        return {"sound": state_of(self._laptop.speaker), "sleep": self._sleep(), "power": self._power()}

    def _sleep(self) -> dict[str, Any]:
        if self._awake is None or (self._awake.warning == "" and not self._awake.is_held):
            return {"state": "unneeded", "text": "no patient is bound, so this laptop may sleep"}
        if self._awake.warning:
            return {"state": "may_sleep", "text": self._awake.warning}
        return {"state": "kept_awake", "text": "this laptop is kept awake, also with its lid closed"}

    def _power(self) -> dict[str, Any]:
        power = self._battery.power if self._battery is not None else None
        if power is None or power.on_battery is None:
            return {"state": "unknown", "text": "no battery of this laptop is known", "percent": None}
        percent = "" if power.percent is None else f", {power.percent} % left"
        if not power.on_battery:
            return {"state": "plugged_in", "text": f"plugged in{percent}", "percent": power.percent}
        minutes = "" if power.minutes is None else f", about {power.minutes} min"
        text = f"on its battery{percent}{minutes}. Plug it in"
        return {"state": "on_battery", "text": text, "percent": power.percent}
