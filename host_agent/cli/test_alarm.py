"""`test-alarm`: the real alarm chain from end to end, wearable included, without an alarm."""

from typing import Annotated

import typer

from host_agent.control.chain_test import LONGEST_S
from host_agent.errors import ConfigError
from host_agent.paths import default_paths
from host_agent.terminal import exits
from host_agent.terminal.bundles import with_bundles
from host_agent.terminal.guarding import Guard, through_agent
from host_agent.terminal.options import DeviceOption, JsonOption
from host_agent.terminal.output import show
from host_agent.terminal.times import parse_span_s
from host_agent.text import table


@with_bundles
def test_alarm(
    *,
    wait: Annotated[
        str, typer.Option("--wait", metavar="SPAN", help="How long a receiver may take, at most 25s.")
    ] = "15s",
    device: DeviceOption = None,
    guard: Guard,
    as_json: JsonOption = False,
) -> None:
    """Test the alarm chain: agent, store, wearable and every receiver, each with its time.

    Each bound wearable drives its light, buzzer and vibration once: somebody must look and listen. Every receiver gets
    one message that is marked as a test. A message that a receiver does not take in time is withdrawn. While a HIGH
    alarm stands, somebody must stand for the test: account, reason, and the patient's pseudonym. Exit code 1 when a
    hop fails.
    """
    seconds = parse_span_s(wait, "--wait")
    if seconds > LONGEST_S:
        raise ConfigError(f"--wait: at most {LONGEST_S:g}s, found {wait!r}.", "Give a shorter time.")
    done = through_agent(
        default_paths(), "test_alarm", "test_alarm", guard, device=(device or "").lower(), seconds=seconds
    )
    hops = done["hops"]
    lines = table(
        ("HOP", "NAME", "TIME", "RESULT"),
        [
            (one["kind"], one["name"], "-" if one["ms"] is None else f"{one['ms'] / 1000:.2f} s",
             one["text"] if one["passed"] else f"FAILED: {one['text']}")
            for one in hops
        ],
    )  # fmt: skip
    failed = sum(not one["passed"] for one in hops)
    last = f"{failed} of {len(hops)} hops failed." if failed else f"All {len(hops)} hops passed."
    show({"passed": not failed, "hops": hops}, [*lines, last], as_json=as_json)
    if failed:
        raise typer.Exit(exits.FAILED)
