"""One attempt of one forwarder: whatever it does, or does not do, becomes an outcome."""

import asyncio
import logging

from host_agent.forward.delivery import Delivered, Delivery, Forwarder, Outcome, Rejected, RetryAfter
from host_agent.forward.reason import one_line, with_plain_reason

_LOG = logging.getLogger(__name__)


async def attempt(forwarder: Forwarder, delivery: Delivery, max_s: float, name: str) -> Outcome:
    """Hand this over, within `max_s`. Raises nothing but the cancellation of the task itself."""
    try:
        async with asyncio.timeout(max_s):
            outcome = await forwarder.send(delivery)
    except TimeoutError:
        return RetryAfter(f"no answer within {max_s:g} s")
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        return RetryAfter("the attempt was broken off")
    except Exception as error:
        _LOG.debug("target %s: the attempt raised", name, exc_info=True)
        return RetryAfter(one_line(f"{type(error).__name__}: {error}"))
    if isinstance(outcome, (Rejected, RetryAfter)):
        return with_plain_reason(outcome)
    if isinstance(outcome, Delivered):
        return outcome
    return RetryAfter(f"the forwarder answered with {type(outcome).__name__}")
