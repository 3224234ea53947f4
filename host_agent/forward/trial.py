"""Send one marked test to each receiver, and say of each step on the way what was found and how long it took."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from host_agent.errors import HostAgentError
from host_agent.forward.delivery import Delivered, Delivery, Forwarder, Outcome, Rejected, RetryAfter
from host_agent.forward.endpoint import Endpoint, Step, walk
from host_agent.forward.heartbeat import HeartbeatSection
from host_agent.forward.receiver import Receiver
from host_agent.forward.registry import forwarder_of
from host_agent.text import without_secrets

Tried = Receiver | HeartbeatSection
_GRACE_S = 5.0  # a forwarder that does not keep its own deadline is left then


class Trial(NamedTuple):
    """What became of one test. `text` says it in one clause; `advice` is for a wrong configuration."""

    receiver: Tried
    handed_over: bool
    seconds: float
    text: str
    steps: list[Step]
    advice: str = ""


async def try_receivers(wanted: Sequence[tuple[Tried, Delivery]], utc_ms: Callable[[], int]) -> list[Trial]:
    """All at once, each up to its first step that fails. Raises nothing for what a receiver or the network did."""
    # prepared one after the other: what that takes must not count as the time of another one's first step
    ready = [(receiver, delivery, _prepared(receiver, utc_ms)) for receiver, delivery in wanted]
    return list(await asyncio.gather(*(_try(*one, utc_ms()) for one in ready)))


def _prepared(
    receiver: Tried, utc_ms: Callable[[], int]
) -> tuple[Forwarder, Endpoint | None] | HostAgentError:
    try:
        return forwarder_of(receiver.for_test(), utc_ms), receiver.endpoint()
    except HostAgentError as error:
        return error


async def _try(
    receiver: Tried,
    delivery: Delivery,
    ready: tuple[Forwarder, Endpoint | None] | HostAgentError,
    now_ms: int,
) -> Trial:
    started_s = time.monotonic()
    steps: list[Step] = []

    def trial(handed_over: bool, text: str, advice: str = "") -> Trial:
        return Trial(
            receiver, handed_over, time.monotonic() - started_s, without_secrets(text), steps, advice
        )

    if isinstance(ready, HostAgentError):
        return trial(False, f"not tried: {ready}", ready.advice)
    forwarder, endpoint = ready
    try:
        if endpoint is not None:
            steps += await walk(endpoint, receiver.timeout_s, now_ms)
            if not steps[-1].is_done:
                return trial(False, f"not handed over: {steps[-1].text}")
        sent_s = time.monotonic()
        outcome = await _send(forwarder, delivery, receiver.timeout_s + _GRACE_S)
        text, is_done = _words(outcome)
        steps.append(Step("message", is_done, time.monotonic() - sent_s, without_secrets(text)))
        return trial(is_done, ("handed over: " if is_done else "not handed over: ") + text)
    finally:
        await forwarder.close()


async def _send(forwarder: Forwarder, delivery: Delivery, longest_s: float) -> Outcome:
    try:
        async with asyncio.timeout(longest_s):
            return await forwarder.send(delivery)
    except TimeoutError:
        return RetryAfter(f"no answer within {longest_s:g} s")
    except Exception as error:  # a fault of a forwarder is an attempt that failed
        return RetryAfter(f"{type(error).__name__}: {error}")


def _words(outcome: Outcome) -> tuple[str, bool]:
    if isinstance(outcome, Delivered):
        return outcome.detail, True
    if isinstance(outcome, Rejected):
        return f"refused for good: {outcome.reason}", False
    return outcome.reason, False
