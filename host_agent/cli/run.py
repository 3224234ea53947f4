"""`run`: the agent itself."""

import asyncio
import logging
import os
from typing import Annotated

import typer

from host_agent import NOTICE
from host_agent.agent_log import start_log
from host_agent.agent_signals import ignore_until_answered
from host_agent.errors import ConfigError
from host_agent.paths import default_paths
from host_agent.terminal.config_option import ConfigOption, find_config
from host_agent.text import marked


def run(
    port: Annotated[
        list[str] | None,
        typer.Option(
            "--port", metavar="PORT", help="Serial port to open. Give it several times for several ports."
        ),
    ] = None,
    speed: Annotated[
        float,
        typer.Option(
            "--speed", metavar="N", help="Run the agent's clock N times faster. For simulations only."
        ),
    ] = 1.0,
    config: ConfigOption = None,
) -> None:
    """Watch the enrolled wearables until Ctrl-C or SIGTERM.

    A closed terminal, Ctrl-Z or a connection that ends does not stop it: `cytowatch status` shows its process id.
    Its log is also in the file cytowatch.log of the state folder. After each time without monitoring, `status` and
    the next start say from when to when, and why.
    """
    # the other commands start faster without these
    from host_agent.agent import Agent, run_agent  # noqa: PLC0415
    from host_agent.laptop import this_laptop  # noqa: PLC0415
    from host_agent.web.page import Page  # noqa: PLC0415

    if not 0.1 <= speed <= 1000:
        raise ConfigError(
            f"--speed: expected a number from 0.1 to 1000, found {speed:g}.", "Leave it out for real use."
        )
    ignore_until_answered()
    paths = default_paths().ensure_readable()
    settings = find_config(paths, config)
    start_log(paths.log, settings.agent.log_level, settings.agent.log_form)

    async def serve() -> None:
        page = Page(settings.page, paths).run if settings.page.enabled else None
        agent = Agent(paths, settings, port or (), speed, page=page, laptop=this_laptop(settings.sound))
        keys = agent.keys()

        def ready() -> None:
            log = logging.getLogger("cytowatch")
            log.info(
                marked(agent.is_simulation, f"{NOTICE} Agent running on {paths.home}, pid {os.getpid()}")
            )
            if agent.run_note.gap is not None:
                log.warning("%s.", agent.run_note.gap.text())
            if page is not None:
                log.info(
                    "the page is at http://127.0.0.1:%d; open it with: cytowatch page", settings.page.port
                )
            if not keys:
                log.warning("no wearable is enrolled: cytowatch enrol FILE")
            if not agent.links.ports and not settings.serial.scan_usb:
                log.warning("no port to open: give --port PORT or set serial.scan_usb")

        await run_agent(agent, ready)

    asyncio.run(serve())
