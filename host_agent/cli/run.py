"""`run` and `release`: the agent itself, and lending a port."""

import asyncio
import logging
from typing import Annotated

import typer

from host_agent.control.socket import call_now
from host_agent.errors import ConfigError
from host_agent.paths import default_paths
from host_agent.terminal.config_option import ConfigOption, find_config
from host_agent.terminal.options import JsonOption
from host_agent.terminal.output import show
from host_agent.terminal.times import parse_span_s
from host_agent.text import NOTICE, marked


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(run)
    app.command()(release)


def run(
    port: Annotated[
        list[str] | None,
        typer.Option("--port", metavar="PORT", help="Serial port to open; may be given several times."),
    ] = None,
    speed: Annotated[
        float,
        typer.Option("--speed", metavar="N", help="Run the agent's clock N times faster: simulations only."),
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


def release(
    port: Annotated[
        str, typer.Argument(metavar="PORT", help="The port, as the agent opened it or a link to it.")
    ],
    lasting: Annotated[
        str, typer.Option("--for", metavar="SPAN", help="For how long, e.g. 90s or 5m; at most 1h.")
    ] = "5m",
    back: Annotated[
        bool, typer.Option("--back", help="End the release now: the agent takes the port again.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Lend a port to another program for a while; the agent takes it back by itself. Nobody is monitored meanwhile."""
    socket = default_paths().socket
    if back:
        done = call_now(socket, "retake", port=port)
        show(done, [f"{port}: the agent takes it back now."], as_json=as_json)
        return
    seconds = parse_span_s(lasting, "--for")
    done = call_now(socket, "release", port=port, seconds=seconds)
    show(
        done,
        [
            f"{port} is free for {seconds:g} s; then the agent takes it back.",
            "The wearable is not synced meanwhile; its own alarm goes on while its application runs.",
        ],
        as_json=as_json,
    )
