"""`run`: the agent itself."""

import asyncio
import logging
from typing import Annotated

import typer

from host_agent import NOTICE
from host_agent.errors import ConfigError
from host_agent.paths import default_paths
from host_agent.repeated_log import RepeatedFaults
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
    """Watch the enrolled wearables until Ctrl-C or SIGTERM."""
    from host_agent.agent import Agent, run_agent  # noqa: PLC0415 the other commands start faster without it

    if not 0.1 <= speed <= 1000:
        raise ConfigError(
            f"--speed: expected a number from 0.1 to 1000, found {speed:g}.", "Leave it out for real use."
        )
    paths = default_paths()
    settings = find_config(paths, config)
    logging.basicConfig(
        level=settings.agent.log_level.upper(), format="%(asctime)s %(levelname)s %(message)s", force=True
    )
    for handler in logging.getLogger().handlers:
        handler.addFilter(RepeatedFaults())
    for noisy in ("httpcore2", "httpx2", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)

    async def serve() -> None:
        agent = Agent(paths, settings, port or (), speed)
        keys = agent.keys()

        def ready() -> None:
            log = logging.getLogger("cytowatch")
            log.info(marked(agent.is_simulation, f"{NOTICE} Agent running on {paths.home}"))
            if not keys:
                log.warning("no wearable is enrolled: cytowatch enrol FILE")
            if not agent.links.ports and not settings.serial.scan_usb:
                log.warning("no port to open: give --port PORT or set serial.scan_usb")

        await run_agent(agent, ready)

    asyncio.run(serve())
