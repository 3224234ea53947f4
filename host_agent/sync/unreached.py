"""Tells a wearable that an alarm of its patient has reached nobody, so that it sounds there too."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple, Protocol

from crs_core.codes import PRIORITY_HIGH, PRIORITY_NONE
from crs_core.wire import message as wire

from host_agent.clock import Clock
from host_agent.errors import LinkError, ProtocolError, RequestRefused

_LOG = logging.getLogger(__name__)
_LOOK_S = 1.0
_AGAIN_S = 240.0  # the wearable forgets it after 600 s without a repetition
_AFTER_FAILURE_S = 30.0


class Client(Protocol):
    """The part of a session's client that is needed here."""

    async def command(self, message: Any) -> Any:
        """Returns the wearable's Result; RequestRefused when it does not do it."""
        ...


class _Told(NamedTuple):
    client: Client
    priority: int
    again_s: float


class UnreachedTeller:
    """One job of the agent. `sessions` gives (device id, client) of each bound wearable in session."""

    def __init__(
        self,
        sessions: Callable[[], Iterable[tuple[bytes, Client]]],
        sounding: Callable[[], Collection[bytes]],
        clock: Clock,
    ) -> None:
        """`sounding` gives the wearables on which it must sound; `clock` is the agent's."""
        self._sessions = sessions
        self._sounding = sounding
        self._clock = clock
        self._told: dict[bytes, _Told] = {}
        self._silent_until_s: dict[bytes, float] = {}

    async def run(self) -> None:
        """Until cancelled. A wearable that does not answer delays no other."""
        while True:
            await asyncio.gather(*(self._tell(device_id, client) for device_id, client in self._sessions()))
            await self._clock.sleep(_LOOK_S)

    async def _tell(self, device_id: bytes, client: Client) -> None:
        wanted = PRIORITY_HIGH if device_id in self._sounding() else PRIORITY_NONE
        told, now_s = self._told.get(device_id), self._clock.monotonic()
        if now_s < self._silent_until_s.get(device_id, now_s) or (told is None and not wanted):
            return
        if told is not None and told.priority == wanted:
            is_known = told.client is client and now_s < told.again_s
            if is_known or not wanted:
                return
        try:
            await client.command(wire.NobodyReached(wanted))
        except RequestRefused as error:
            # An older wearable: its own alarm sounds, this one cannot.
            _LOG.warning("%s does not sound NOBODY_REACHED: %s", device_id.hex(), error)
        except (LinkError, ProtocolError) as error:
            _LOG.warning("%s was not told of NOBODY_REACHED: %s", device_id.hex(), error)
            self._silent_until_s[device_id] = self._clock.monotonic() + _AFTER_FAILURE_S
            return
        self._told[device_id] = _Told(client, wanted, now_s + _AGAIN_S)
