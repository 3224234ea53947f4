"""The lane's air: a simulated air on which the guest's own adapter is, in a process of its own.

    async with lane_air(folder) as air:    # folder/chip: for `tools.virtual_wearable --air`; air.hci: for a host
        ...

What the kernel writes to /dev/vhci reaches a simulated controller of that process (`python -m
tools.lab.bluez_lane.lane_air
FOLDER`; it ends when its standard input does). In the process of a bleak client it would share that client's loop, and
bleak would then hear nearly every connection's two messages in the wrong order (see the README).
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from bumble.transport import open_transport

from tools.ble_air.air import Air
from tools.ble_air.controller import AirController
from tools.lab.bluez_lane.bus import power_on

ADDRESS = "F4:12:FA:00:00:01"  # public: a laptop's
_START_S = 30.0
_STOP_S = 10.0


class LaneAir(NamedTuple):
    """`chip_path` is where chips join, `hci` the bumble transport with which a host does."""

    chip_path: Path
    hci: str


class LaneAirError(Exception):
    """The air did not start, or did not end well."""


@asynccontextmanager
async def lane_air(folder: Path) -> AsyncIterator[LaneAir]:
    """Run the air's process while the block runs; hci0 is there and powered. LaneAirError, TimeoutError."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tools.lab.bluez_lane.lane_air", str(folder),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None and process.stdin is not None
    try:
        words = (await asyncio.wait_for(process.stdout.readline(), _START_S)).split()
        if words[:1] != [b"READY"]:
            raise LaneAirError("the air did not start")
        await power_on(_START_S)
        yield LaneAir(folder / "chip", words[1].decode())
    finally:
        process.stdin.close()
        code = await asyncio.wait_for(process.wait(), _STOP_S)
    if code:
        raise LaneAirError(f"the air ended with exit code {code}")


async def serve(folder: Path) -> None:
    """Be air and adapter until standard input ends or a signal comes."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    loop.add_reader(sys.stdin.fileno(), lambda: None if os.read(sys.stdin.fileno(), 64) else stop.set())
    async with Air.open(folder) as air, await open_transport("vhci") as kernel:
        # before the loop turns: the kernel resets an adapter as soon as it exists, and that packet must meet somebody
        AirController("laptop", air.link, kernel.source, kernel.sink, ADDRESS)
        print("READY", air.hci, flush=True)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
