"""Gives the guest's kernel a Bluetooth adapter that lives elsewhere: `python -m tools.bluez_lane.vhci 127.0.0.1:PORT`.

What the kernel writes to /dev/vhci goes to a simulated controller behind a TCP port and the other way round, both as
HCI packets in the H4 framing. The adapter (hci0) is there while this runs. Exit 0: told to end. 1: the controller went
away or there is none. 2: asked wrongly.
"""

import argparse
import asyncio
import signal
import sys

from bumble.transport import open_transport
from bumble.transport.common import BaseSource, TransportInitError


def address(text: str) -> str:
    """HOST:PORT out of the command line."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return text


async def pipe(controller: str, ended: asyncio.Event) -> None:
    """Attach /dev/vhci to the controller until `ended` is set; OSError when there is no controller any more."""
    # The controller first: the kernel resets an adapter as soon as it exists, and that packet must meet somebody.
    async with (
        await open_transport(f"tcp-client:{controller}") as air,
        await open_transport("vhci") as kernel,
    ):
        kernel.source.set_packet_sink(air.sink)
        air.source.set_packet_sink(kernel.sink)
        assert isinstance(air.source, BaseSource)
        told = asyncio.create_task(ended.wait())
        lost = asyncio.create_task(air.source.wait_for_termination())
        await asyncio.wait((told, lost), return_when=asyncio.FIRST_COMPLETED)
        for task in (told, lost):
            task.cancel()
        if not told.done():
            raise ConnectionError(f"the controller at {controller} closed the connection")


async def run(controller: str) -> int:
    """Pipe until a signal comes; returns the exit code."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    try:
        await pipe(controller, ended)
    except (OSError, TransportInitError) as error:
        print(f"vhci: {error}", file=sys.stderr)
        return 1
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.bluez_lane.vhci", description=__doc__)
    parser.add_argument("controller", type=address, help="HOST:PORT of the simulated controller's HCI")
    return asyncio.run(run(parser.parse_args(argv).controller))


if __name__ == "__main__":
    sys.exit(main())
