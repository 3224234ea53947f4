"""What this agent gives out for a guarded act, so that a signature is good once, for one act, at one laptop.

A ticket names laptop, wearable and port, and has a random number. Whoever stands for the act signs it with the rest.
Only the agent that gave it out takes it, only for the request that it was given for, and only while it runs.
"""

import contextlib
import os
import platform
from collections.abc import Iterator
from typing import Any, NamedTuple

from host_agent.clock import Clock

_GOOD_S = 600.0  # as long as an entry may take from its signature to the agent
_MAX = 64
_NOT_ASKED = ("do", "act", "proof")


class _Given(NamedTuple):
    act: str
    asked: dict[str, Any]
    ticket: dict[str, str]
    until_s: float


class Tickets:
    """Those that are out; the oldest goes when there are too many."""

    def __init__(self, clock: Clock) -> None:
        """`clock` is real: how long a person may take does not depend on a simulation."""
        self._clock = clock
        self._out: dict[str, _Given] = {}

    def give(self, act: str, request: dict[str, Any], device_id: bytes | None) -> dict[str, str]:
        """A new one for this act as it is asked for."""
        ticket = {
            "device": "" if device_id is None else device_id.hex(),
            "laptop": platform.node(),
            "once": os.urandom(16).hex(),
            "port": os.path.realpath(str(request["port"])) if request.get("port") else "",
        }
        while len(self._out) >= _MAX:
            del self._out[next(iter(self._out))]
        self._out[ticket["once"]] = _Given(act, _asked(request), ticket, self._clock.monotonic() + _GOOD_S)
        return ticket

    def is_good(self, act: str, request: dict[str, Any], device_id: bytes | None, ticket: object) -> bool:
        """Whether it was given for exactly this and was not used up."""
        given = self._out.get(str(ticket["once"])) if isinstance(ticket, dict) and "once" in ticket else None
        return (
            given is not None
            and given.ticket == ticket
            and (given.act, given.asked) == (act, _asked(request))
            and given.ticket["device"] in ("", "" if device_id is None else device_id.hex())
            and self._clock.monotonic() <= given.until_s
        )

    @contextlib.contextmanager
    def used(self, ticket: dict[str, str]) -> Iterator[None]:
        """Good for nothing from now on, or again when this block raises: nothing was done with it then."""
        given = self._out.pop(ticket["once"])
        try:
            yield
        except BaseException:
            self._out[ticket["once"]] = given
            raise


def _asked(request: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in request.items() if name not in _NOT_ASKED}
