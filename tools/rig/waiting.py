"""The one way to wait: for a condition, or for a while. In real time, or in the time of a conductor that `under` names.

A condition that does not come about fails with what was awaited and what the processes logged.
"""

import asyncio
import contextlib
import inspect
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tools.conductor.conductor import Conductor
from tools.rig import evidence

_POLL_S = 0.03
_STARVED_S = 600.0
STATE = "XDG_STATE_HOME"
_conductors: list[Conductor] = []


class NotInTimeError(AssertionError):
    """A condition did not come about in time. The message names it and ends with the last words of every process."""


@contextlib.contextmanager
def own_ports(folder: Path) -> Iterator[None]:
    """Until the block ends, agents that are started note in this folder which ports they use.

    It is the user's else, and the system gives the names of ports again: what another agent noted, now or before, would
    change what happens here.
    """
    before = os.environ.get(STATE)
    os.environ[STATE] = str(folder)
    try:
        yield
    finally:
        del os.environ[STATE]
        if before is not None:
            os.environ[STATE] = before


@contextlib.contextmanager
def under(conductor: Conductor | None) -> Iterator[None]:
    """Until the block ends, time is this conductor's; None: real time.

    Its agents have `own_ports`.
    """
    if conductor is None:
        yield
        return
    with own_ports(Path(conductor.path).with_name("state")):
        _conductors.append(conductor)
        try:
            yield
        finally:
            _conductors.remove(conductor)


def conductor() -> Conductor | None:
    """Who owns the time now; None: nobody, it is real."""
    return _conductors[-1] if _conductors else None


def now_s() -> float:
    """Seconds from an arbitrary start."""
    owner = conductor()
    return owner.now_s() if owner else time.monotonic()


def utc_s() -> float:
    """Wall time in seconds, as everybody in the run has it."""
    owner = conductor()
    return owner.utc_ms() / 1000 if owner else time.time()


def pass_s(seconds: float) -> None:
    """Let so much time pass."""
    owner = conductor()
    if owner:
        owner.pass_s(seconds)
    else:
        time.sleep(seconds)


def settle() -> None:
    """After a program was asked from outside, and before a signal to it: see Conductor.settle."""
    owner = conductor()
    if owner:
        owner.settle()


def patience_s(seconds: float) -> float:
    """How long a program may take in real time: with a conductor a busy computer makes nobody late."""
    return _STARVED_S if conductor() else seconds


def _too_late(what: str, timeout_s: float) -> NotInTimeError:
    return NotInTimeError(f"{what}: not within {timeout_s:g} s\n{evidence.last_words()}")


def _pause() -> None:
    pass_s(_POLL_S)


def until(
    condition: Callable[[], Any], timeout_s: float = 10, what: str = "a condition",
    between: Callable[[], object] = _pause,
) -> Any:  # fmt: skip
    """The first true value of `condition()`; NotInTimeError after `timeout_s`.

    `between` runs between two looks: a pause, or work that must go on meanwhile.
    """
    deadline = now_s() + timeout_s
    while not (value := condition()):
        if now_s() > deadline:
            raise _too_late(what, timeout_s)
        between()
    return value


async def until_async(condition: Callable[[], Any], timeout_s: float = 10, what: str = "a condition") -> Any:
    """As `until`, inside an event loop and in real time. `condition` may return an awaitable."""
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
