"""What the running agent says at once."""

from typing import Any

from host_agent.control.socket import AgentNotRunning, ControlFailed, call_now
from host_agent.paths import Paths

_TIMEOUT_S = 0.7  # `status` as a whole answers within a second


def live_status(paths: Paths) -> dict[str, Any] | None:
    """What the running agent says; None when none runs or it does not answer at once."""
    try:
        return call_now(paths.socket, "status", timeout_s=_TIMEOUT_S)
    except (AgentNotRunning, ControlFailed):
        return None


def least_ages(live: dict[str, Any] | None) -> dict[str, int]:
    """Device id → for how many seconds the newest stored reading has been here at least; {} without an agent.

    The agent counts by a clock that nobody can set, so this holds whatever the wall clock says.
    """
    return {entry["device_id"]: int(entry["stored_age_s"]) for entry in (live["devices"] if live else ())}
