"""`page`: open the page of this laptop in a browser."""

import webbrowser
from typing import Annotated

import typer

from host_agent.control.socket import AgentNotAnswering, AgentNotRunning, ControlFailed, call_now
from host_agent.errors import ConfigError, HostAgentError
from host_agent.paths import default_paths
from host_agent.terminal.config_option import ConfigOption, find_config
from host_agent.terminal.options import JsonOption
from host_agent.terminal.output import show
from host_agent.web.key import page_key

_AGAIN = "Then stop the agent and start it again."


def page(
    *,
    no_browser: Annotated[
        bool,
        typer.Option("--no-browser", help="Print the address only, for a browser that you start yourself."),
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Open the page of this laptop: what is measured, which alarms stand, who was told; accept and enter there.

    The running agent serves it, to this laptop alone. The address holds a key that opens the page: treat it like a
    password. The browser keeps the key, so that the address without it works from then on.
    """
    paths = default_paths()
    settings = find_config(paths, config).page
    if not settings.enabled:
        raise ConfigError("The page is switched off.", "Set page.enabled = true and start the agent again.")
    try:
        found = call_now(paths.socket, "page")
    except AgentNotRunning as error:
        raise AgentNotRunning("The agent is not running, and it serves the page.", error.advice) from None
    except AgentNotAnswering:
        raise
    except ControlFailed:
        raise HostAgentError("The running agent serves no page.", f"It began without one. {_AGAIN}") from None
    if why := found["why_not"]:  # the key is for no other program
        raise HostAgentError(
            f"The page is not served on port {found['port']}: {why}.", f"Set another page.port. {_AGAIN}"
        )
    address = f"http://127.0.0.1:{found['port']}/"
    with_key = f"{address}?key={page_key(paths.home)}"
    opened = False if no_browser else webbrowser.open(with_key)
    lines = [f"Opened in the browser: {address}"] if opened else [f"Open in a browser: {with_key}"]
    show({"address": with_key, "opened": opened}, lines, as_json=as_json)
