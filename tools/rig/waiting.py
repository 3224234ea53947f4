"""The one way to wait for a condition: poll it, and fail with what was awaited and what the processes logged."""

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Any

from tools.rig import evidence

_POLL_S = 0.03


class NotInTimeError(AssertionError):
    """A condition did not come about in time. The message names it and ends with the last words of every process."""


def _too_late(what: str, timeout_s: float) -> NotInTimeError:
    return NotInTimeError(f"{what}: not within {timeout_s:g} s\n{evidence.last_words()}")


def _pause() -> None:
    time.sleep(_POLL_S)


def until(
    condition: Callable[[], Any], timeout_s: float = 10, what: str = "a condition",
    between: Callable[[], object] = _pause,
) -> Any:  # fmt: skip
    """The first true value of `condition()`; NotInTimeError after `timeout_s` of real time.

    `between` runs between two looks: a pause, or work that must go on meanwhile.
    """
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise _too_late(what, timeout_s)
        between()
    return value


async def until_async(condition: Callable[[], Any], timeout_s: float = 10, what: str = "a condition") -> Any:
    """As `until`, inside an event loop. `condition` may return an awaitable."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        if time.monotonic() > deadline:
            raise _too_late(what, timeout_s)
        await asyncio.sleep(_POLL_S)
