"""`test-sound`: the alarm sound of this laptop, once, and whether anything is known against its being heard."""

import asyncio
from typing import Annotated

import typer
from crs_core.codes import PRIORITY_NAMES

from host_agent.clock import RealClock
from host_agent.errors import ConfigError
from host_agent.paths import default_paths
from host_agent.sound.patterns import PATTERNS, Pattern
from host_agent.sound.speaker import Speaker
from host_agent.terminal import exits
from host_agent.terminal.config_option import ConfigOption, find_config
from host_agent.terminal.options import JsonOption
from host_agent.terminal.output import show

_LONGEST_S = 20.0


def test_sound(
    priority: Annotated[
        str, typer.Option("--priority", metavar="NAME", help="HIGH, MEDIUM or LOW.")
    ] = "HIGH",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Play the sound of an alarm once on this laptop. Somebody must listen, also from the next room.

    Only a person can say whether it is heard. Exit code 1 when the laptop is muted or too quiet, plays into headphones,
    or has no loudspeaker that answers. It works without the agent and is no alarm: nobody is called.
    """
    name = priority.upper()
    if name not in PRIORITY_NAMES[1:]:
        raise ConfigError(f"--priority: HIGH, MEDIUM or LOW, found {priority!r}.", "Give one of these names.")
    pattern = PATTERNS[PRIORITY_NAMES.index(name)]
    volume = find_config(default_paths(), config).sound.volume
    fault, device = asyncio.run(_play(pattern, volume))
    data = {"priority": name, "heard_possible": not fault, "fault": fault or None, "device": device or None}
    if fault:
        lines = [f"This laptop cannot be heard: {fault}.",
                 "Turn its sound on and louder, take headphones off, then: cytowatch test-sound"]  # fmt: skip
    else:
        lines = [
            f"Played {name} over {device}. Was it heard, also from the next room? Only a person can say."
        ]
    show(data, lines, as_json=as_json)
    if fault:
        raise typer.Exit(exits.FAILED)


async def _play(pattern: Pattern, volume: int) -> tuple[str, str]:
    """One burst; why nobody could hear it, and over which system it went."""
    clock = RealClock()
    speaker = Speaker(volume, clock)
    playing = asyncio.ensure_future(speaker.run())
    try:
        speaker.want(pattern, is_needed=True)
        until_s = clock.monotonic() + _LONGEST_S
        while not (speaker.proven or speaker.fault) and clock.monotonic() < until_s:
            await clock.sleep(0.1)
        if speaker.proven:
            await clock.sleep(pattern.burst_ms / 1000)
        return speaker.fault or ("" if speaker.proven else "no loudspeaker answers"), speaker.device
    finally:
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
