"""`release`: lend a serial port to another program."""

from typing import Annotated

import typer

from host_agent.control.socket import call_now
from host_agent.paths import default_paths
from host_agent.terminal.bundles import with_bundles
from host_agent.terminal.guarding import Guard, through_agent
from host_agent.terminal.options import JsonOption
from host_agent.terminal.output import show
from host_agent.terminal.times import parse_span_s


@with_bundles
def release(
    *,
    port: Annotated[
        str, typer.Argument(metavar="PORT", help="The port as the agent opened it, or a link to it.")
    ],
    lasting: Annotated[
        str, typer.Option("--for", metavar="SPAN", help="How long, for example 90s or 5m; at most 1h.")
    ] = "5m",
    back: Annotated[bool, typer.Option("--back", help="Take the port back now.")] = False,
    guard: Guard,
    as_json: JsonOption = False,
) -> None:
    """Lend a serial port to another program for a while. Its wearable is not monitored here meanwhile.

    The agent takes the port back by itself when the time is over. The wearable's own alarm goes on while its
    application runs. While a HIGH alarm stands, somebody must stand for it: account, reason, and pseudonym.
    """
    paths = default_paths()
    socket = paths.socket
    if back:
        done = call_now(socket, "retake", port=port)
        show(done, [f"{port}: the agent takes it back now."], as_json=as_json)
        return
    seconds = parse_span_s(lasting, "--for")
    done = through_agent(paths, "release", "release", guard, port=port, seconds=seconds)
    show(
        done,
        [
            f"{port} is free for {seconds:g} s; then the agent takes it back.",
            "This laptop does not monitor its wearable meanwhile. Its own alarm sounds on while its program runs.",
        ],
        as_json=as_json,
    )
