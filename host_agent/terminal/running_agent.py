"""What the running agent says at once, or why it says nothing."""

import time
from typing import Any, NamedTuple

from host_agent.agent_run import Gap, gaps_of, past_gaps
from host_agent.control.socket import AgentNotRunning, ControlFailed, call_now
from host_agent.paths import Paths
from host_agent.state_lock import holder_of

_TIMEOUT_S = 0.7  # `status` as a whole answers within a second
_TOLD_FOR_MS = 86_400_000  # a time without monitoring is shown for a day
_SHORTEST_MS = 60_000
RUNNING, NOT_RUNNING, NOT_ANSWERING = "running", "not_running", "not_answering"


class Presence(NamedTuple):
    """Whether an agent watches now. `text` and `advice` are for people; `gap` is the last time when none did."""

    state: str
    pid: int | None
    text: str
    advice: str
    gap: Gap | None

    def values(self) -> dict[str, Any]:
        """As JSON values."""
        return {**self._asdict(), "gap": self.gap._asdict() if self.gap else None}


def live_status(paths: Paths) -> dict[str, Any] | None:
    """What the running agent says; None when none runs or it does not answer at once."""
    try:
        return call_now(paths.socket, "status", timeout_s=_TIMEOUT_S)
    except (AgentNotRunning, ControlFailed):
        return None


def in_memory(live: dict[str, Any] | None) -> list[dict[str, Any]]:
    """What receivers have not got of the events that the running agent could not save, with the receiver of each."""
    targets = (live or {}).get("targets", {})
    return [{"receiver": name, **one} for name, told in targets.items() for one in told.get("in_memory", ())]


def presence(paths: Paths, live: dict[str, Any] | None) -> Presence:
    """Tells an agent that does not answer from one that does not run. `live` is what `live_status` returned."""
    now_ms = time.time_ns() // 1_000_000
    if live is not None:
        return Presence(
            RUNNING, live["pid"], f"Agent running, pid {live['pid']}", "", _last_gap(paths, now_ms)
        )
    holder = holder_of(paths.home)
    if holder is not None and holder.is_agent:
        text, advice = holder.without_answer(now_ms)
        return Presence(NOT_ANSWERING, holder.pid or None, text, advice, _last_gap(paths, now_ms))
    gaps = gaps_of(paths.home, None)
    gap = gaps[-1] if gaps and gaps[-1].until_utc_ms is None else None
    if gap is not None:  # the clock may have been set back since
        gap = gap._replace(from_utc_ms=min(gap.from_utc_ms, now_ms))
    text = "The agent is not running: nothing is synced or forwarded now."
    advice = "Start it: cytowatch run"
    if holder is not None:
        text, advice = holder.without_answer(now_ms)
    return Presence(NOT_RUNNING, None, text, advice, gap)


def _last_gap(paths: Paths, now_ms: int) -> Gap | None:
    for gap in reversed(past_gaps(paths.home)):
        until_ms = gap.until_utc_ms or now_ms
        if until_ms - gap.from_utc_ms >= _SHORTEST_MS and now_ms - until_ms < _TOLD_FOR_MS:
            return gap
    return None
