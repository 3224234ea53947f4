"""Tells each wearable who accepted its alarm, so that it plays "somebody knows" and stops sounding.

A wearable that is away is told when it returns and all its records are here, if the alarm still stands: its newer
records may say that the alarm ended and began anew, and nobody has accepted the new one.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from crs_core.wire import message as wire
from crs_core.wire import rights

from host_agent.clock import Clock, sleep_or_event
from host_agent.errors import LinkError, ProtocolError, RequestRefused, StoreError
from host_agent.escalation.acceptance.from_wearable import on_the_wire
from host_agent.keys.keyfile import DeviceKey
from host_agent.people import accepting
from host_agent.store import acceptances as store
from host_agent.store.acceptances import Acceptance
from host_agent.store.db import Store, Tx

_LOG = logging.getLogger(__name__)
RETRY_S = 2.0  # real
_FINAL = (wire.RESULT_FORBIDDEN, wire.RESULT_BAD_VALUE, wire.RESULT_UNKNOWN_REQUEST)
_NO_RIGHT = "this laptop's key may not accept its alarms"


class Client(Protocol):
    """The part of a session's client that is needed here."""

    key: DeviceKey | None

    async def command(self, message: Any) -> Any:
        """Returns the wearable's Result; RequestRefused when it does not do it."""
        ...


Sessions = Iterable[tuple[int, Client, int, bool]]


class AcceptanceSender:
    """One job of the agent."""

    def __init__(
        self, data: Store, sessions: Callable[[], Sessions], clock: Clock, link_clock: Clock
    ) -> None:
        """`sessions` gives (binding row, client, boot, whether all is stored) of each wearable in session and bound.

        `clock` is the agent's, `link_clock` the real one, which paces the tries.
        """
        self._store = data
        self._sessions = sessions
        self._clock = clock
        self._link = link_clock
        self._due = asyncio.Event()

    def wake(self) -> None:
        """Look now: somebody accepted an alarm, or a wearable came back. Call from the event loop's thread."""
        self._due.set()

    async def run(self) -> None:
        """Until cancelled. A wearable that does not answer delays no other."""
        while True:
            await sleep_or_event(self._link, RETRY_S, self._due)
            self._due.clear()
            with contextlib.suppress(StoreError):  # the next turn tries again
                if await self._store.read(store.waiting):
                    caught_up = [one[:2] for one in self._sessions() if one[3]]
                    await asyncio.gather(*(self._serve(*one) for one in caught_up))

    async def _serve(self, binding: int, client: Client) -> None:
        try:
            for one, alarm in await self._store.write(lambda tx: self._to_tell(tx, binding)):
                if not await self._tell(client, one, alarm):
                    return
        except StoreError as error:
            _LOG.warning("what the wearable was told of acceptances cannot be noted: %s", error)
        except Exception:
            # what one wearable's rows hold must not stop what another one is told
            _LOG.exception("a wearable was not told of an acceptance")

    def _to_tell(self, tx: Tx, binding: int) -> list[tuple[Acceptance, int]]:
        """What counts now; what has ended meanwhile is left out, and its end is told by the check of lapses."""
        over = {
            one.id
            for one, _ in store.finished(tx, self._clock.utc_ms(), clock_back_ms=accepting.CLOCK_BACK_MS)
        }
        return [found for found in store.waiting(tx, binding) if found[0].id not in over]

    async def _tell(self, client: Client, one: Acceptance, alarm: int) -> bool:
        """False: nothing came back, and it is tried again."""
        if client.key is not None and not client.key.may(rights.ACCEPT):
            await self._note(one, store.REFUSED, _NO_RIGHT)
            return True
        try:
            await client.command(wire.AlarmAccept(alarm, one.priority, on_the_wire(one.who)))
        except RequestRefused as error:
            is_final = error.result_code in _FINAL
            await self._note(one, store.REFUSED if is_final else store.WAITING, str(error))
            return is_final
        except (LinkError, ProtocolError) as error:
            await self._note(one, store.WAITING, str(error))
            return False
        await self._note(one, store.SENT, "")
        return True

    async def _note(self, one: Acceptance, state: str, error: str) -> None:
        if (one.wearable, one.wearable_error) != (state, error):
            await self._store.write(lambda tx: store.note_wearable(tx, one.id, state, error))
