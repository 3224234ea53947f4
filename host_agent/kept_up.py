"""Jobs of the agent that start again when they fail: a bug in one part must not end the others, nor that part."""

from collections.abc import Awaitable, Callable

from host_agent.clock import Clock
from host_agent.fault_log import FaultLog

_RESTART_FIRST_S = 1.0
_RESTART_MAX_S = 60.0

Job = Callable[[], Awaitable[None]]


async def keep_up(name: str, job: Job, clock: Clock, faults: FaultLog) -> None:
    """Run `job` until cancelled; each failure is logged, and the pause before the next start grows."""
    pause_s = _RESTART_FIRST_S
    while True:
        started_s = clock.monotonic()
        try:
            await job()
        except Exception as error:
            text = f"internal error in {name}; it starts again: {type(error).__name__}: {error}"
            faults.tell(name, text, error=error)
        if clock.monotonic() - started_s > _RESTART_MAX_S:
            pause_s = _RESTART_FIRST_S
        await clock.sleep(pause_s)
        pause_s = min(pause_s * 2, _RESTART_MAX_S)
