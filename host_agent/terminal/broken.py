"""Wearables whose data a command could not show: each has a line of its own, the others are shown as usual."""

import sys
from collections.abc import Mapping

import typer

from host_agent.terminal import exits


def broken_line(device_id: str, why: str) -> str:
    """One line for people."""
    return (
        f"Wearable {device_id} cannot be shown: its stored data is not understood ({why})."
        " Look at the patient and at the wearable itself, and call the engineer."
    )


def leave_when_broken(broken: Mapping[str, str]) -> None:
    """Say on stderr what could not be shown, device id → why, and leave with exit code 1; nothing when all was."""
    for device_id, why in broken.items():
        print(broken_line(device_id, why), file=sys.stderr)
    if broken:
        raise typer.Exit(exits.FAILED)
