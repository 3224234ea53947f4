"""A part of the agent that runs as long as the agent does."""

from collections.abc import Awaitable, Callable

from host_agent.clock import Clock
from host_agent.fault_log import FaultLog

_RESTART_FIRST_S = 1.0
_RESTART_MAX_S = 60.0


async def keep_up(name: str, job: Callable[[], Awaitable[None]], clock: Clock, faults: FaultLog) -> None:
    """Until cancelled. A bug in one part must not end the others, nor that part: it is logged and started again."""
    pause_s = _RESTART_FIRST_S
    while True:
        started_s = clock.monotonic()
        try:
            await job()
        except Exception as error:
            faults.tell(
                name,
                f"internal error in {name}; it starts again: {type(error).__name__}: {error}",
                error=error,
            )
        if clock.monotonic() - started_s > _RESTART_MAX_S:
            pause_s = _RESTART_FIRST_S
        await clock.sleep(pause_s)
        pause_s = min(pause_s * 2, _RESTART_MAX_S)
