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
