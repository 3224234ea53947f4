"""What a life changes inside its agent (`run_cytowatch --with`): clocks, jitter, and a record of what it promises.

A line of the record is written before the agent does what it says: `ack JOURNAL SEQUENCE`, `open LINK DEVICE SECONDS`
when a link is in session, `closed LINK - SECONDS` when it is not.
"""

import asyncio
import json
import os
import random
import resource
import time
from pathlib import Path
from typing import Any

from crs_core.wire import message as wire

from host_agent.clock import RealClock, ScaledClock
from host_agent.link.supervisor import LinkReport, LinkState
from host_agent.sync.client import DeviceClient
from host_agent.sync.links import Links
from tools.conductor.event_loop import TurnsLoop


def write_clock(path: Path, began_ms: int, offset_ms: int, drift_ppm: int) -> None:
    """How the laptop's wall clock is wrong from now on."""
    path.write_text(json.dumps([began_ms, offset_ms, drift_ppm]))


def clock(path: str) -> None:
    """Both clocks of the agent follow the file. What counts durations does not."""
    real_utc_ms = RealClock.utc_ms

    def wrong(clock: Any, speed: float) -> int:
        began_ms, offset_ms, drift_ppm = json.loads(Path(path).read_text())
        passed_ms = (real_utc_ms(clock) - began_ms) * speed
        return round(began_ms + passed_ms * (1 + drift_ppm / 1e6)) + int(offset_ms)

    RealClock.utc_ms = lambda clock: wrong(clock, 1.0)  # type: ignore[method-assign,assignment]
    ScaledClock.utc_ms = lambda clock: wrong(RealClock(), clock.speed)  # type: ignore[method-assign,assignment]


def jitter(largest_us: str) -> None:
    """Every timer of the agent's loop is late by up to so many microseconds, as the seed draws."""
    real_call_at = TurnsLoop.call_at

    def call_at(loop: TurnsLoop, when: float, *args: Any, **named: Any) -> asyncio.TimerHandle:
        late_s = random.Random(f"{loop._turns.seed} {when}").random() * int(largest_us) / 1e6
        return real_call_at(loop, when + late_s, *args, **named)

    TurnsLoop.call_at = call_at  # type: ignore[method-assign,assignment]


def record(path: str) -> None:
    """Write down acknowledgements, and which links are in session."""
    file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)

    def write(line: str) -> None:
        # a full disk is a limit on the agent's files, and this one is not the agent's
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limits[1], limits[1]))
        os.write(file, f"{line}\n".encode())
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    real_send, real_report = DeviceClient.send, Links._on_report

    async def send(client: DeviceClient, message: Any) -> None:
        if isinstance(message, wire.Ack):
            write(f"ack {client.peer.journal_id.hex()} {message.committed_seq}")
        await real_send(client, message)

    def on_report(links: Links, report: LinkReport) -> None:
        if report.state == LinkState.OPEN and report.device_id is not None:
            line = f"open {report.port} {report.device_id.hex()}"
        else:
            line = f"closed {report.port} -"
        write(f"{line} {time.monotonic():.6f}")
        real_report(links, report)

    DeviceClient.send = send  # type: ignore[method-assign,assignment]
    Links._on_report = on_report  # type: ignore[method-assign,assignment]
