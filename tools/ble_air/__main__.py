"""Run a simulated air as a process: `python -m tools.ble_air FOLDER`. It prints READY and the HCI transport for hosts.

It ends at Ctrl-C, at SIGTERM, or when its standard input ends, so it never outlives the program that started it.
"""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from tools.ble_air.air import Air
from tools.ble_air.channel import Channel


async def _run(folder: Path, channel: Channel | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    loop.add_reader(sys.stdin.fileno(), lambda: None if sys.stdin.buffer.read1(64) else stop.set())
    async with Air.open(folder, channel) as air:
        print("READY", air.hci, flush=True)
        await stop.wait()


def main(channel: Channel | None = None) -> int:
    """Exit 0 when stopped, 2 when the folder cannot hold its socket."""
    parser = argparse.ArgumentParser(prog="python -m tools.ble_air", description=__doc__)
    parser.add_argument("folder", type=Path, help="existing folder for the chips' socket")
    arguments = parser.parse_args()
    try:
        asyncio.run(_run(arguments.folder, channel))
    except OSError as error:
        print(f"air: {arguments.folder}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
