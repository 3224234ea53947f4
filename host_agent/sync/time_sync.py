"""Send the time to a wearable, and date its clock by the round trip."""

from collections.abc import Callable
from typing import Any, NamedTuple

from crs_core.journal.record_bounds import UTC_END_MS, UTC_FIRST_MS
from crs_core.wire import message as wire

from host_agent.clock import Clock
from host_agent.errors import AnswerTimeout, RequestRefused, StoreError
from host_agent.store.db import Store
from host_agent.store.rows import Journal
from host_agent.store.time_marks import Mark, keep_mark
from host_agent.sync.client import DeviceClient

CLOCK_MOVED_S = 1.0  # board time: the laptop's clock was set, and the wearable's time must be measured anew
_DELIVERY_MS = 2000  # real; longest time until the wearable has read TIME


class HostMark(NamedTuple):
    """A mark that this host made. `source` is "live", or "journal" when it corrects the mark that the wearable
    journaled at this very moment."""

    mark: Mark
    source: str


class TimeSync:
    """Keeps the marks of one session; `host_bound_ms` is how wrong this computer's UTC may be."""

    def __init__(
        self,
        store: Store,
        client: DeviceClient,
        clock: Clock,
        host_bound_ms: int,
        count: Callable[[str], None],
    ) -> None:
        self._store = store
        self._client = client
        self._clock = clock
        self._host_bound_ms = host_bound_ms
        self._count = count
        self._offset_at_mark_s = self._offset_s()

    @property
    def clock_was_set(self) -> bool:
        """Whether somebody set this laptop's clock since the last exchange."""
        return abs(self._offset_s() - self._offset_at_mark_s) > CLOCK_MOVED_S

    async def exchange(self, journal: Journal | None) -> None:
        """Tell the wearable the time and keep the round trip as a mark; without an answer the session goes on.

        A clock outside the years that UTC_FIRST_MS and UTC_END_MS bound was never set, and is told to nobody.
        """
        self._offset_at_mark_s = self._offset_s()
        if not UTC_FIRST_MS <= self._clock.utc_ms() < UTC_END_MS:
            self._count("clock_never_set")
            return
        try:
            mark = await exchange_time(self._client, self._clock, self._host_bound_ms)
        except AnswerTimeout:
            self._count("time_unanswered")
        except RequestRefused:
            self._count("time_refused")
        else:
            await self._keep(journal, mark)

    async def late(self, journal: Journal | None, answer: Any) -> None:
        """A TIME_IS came after its request had timed out; one that was sent in the future never was."""
        if answer.utc_ms > self._clock.utc_ms() + self._host_bound_ms:
            self._count("time_unasked")
            return
        await self._keep(journal, late_mark(answer, self._clock, self._host_bound_ms, _key_id(self._client)))

    async def _keep(self, journal: Journal | None, made: HostMark) -> None:
        if journal is None or not journal.id:
            return
        try:
            await self._store.write(lambda tx: keep_mark(tx, journal.device, made.mark, made.source))
        except StoreError:
            self._count("mark_unstored")

    def _offset_s(self) -> float:
        """Wall time less the clock that nobody sets."""
        return self._clock.utc_ms() / 1000 - self._clock.monotonic()


def _key_id(client: DeviceClient) -> int | None:
    return client.key.key_id if client.key else None


def late_mark(answer: Any, clock: Clock, host_bound_ms: int, key_id: int | None) -> HostMark:
    """For a TIME_IS that came later than the bound of its TIME allows: the wearable read TIME at any time since.

    The bound of the mark that the wearable journaled may be too small; this one covers the whole round trip.
    """
    trip_ms = max(clock.utc_ms() - answer.utc_ms, 0)
    bound_ms = host_bound_ms + trip_ms
    return HostMark(Mark(answer.boot, answer.t_ms, answer.utc_ms, bound_ms, True, key_id), "journal")


async def exchange_time(client: DeviceClient, clock: Clock, host_bound_ms: int) -> HostMark:
    """Send TIME with a bound that covers its delivery, and wait for TIME_IS; AnswerTimeout when none came in time.

    The wearable journals the mark that TIME carries. The round trip gives a tighter mark, or corrects that one.
    """
    delivery_ms = round(_DELIVERY_MS * clock.speed)
    sent_ms = clock.utc_ms()

    def is_answer(message: Any) -> bool:
        return isinstance(message, wire.TimeIs) and message.utc_ms == sent_ms

    reply = await client.request(
        wire.Time(sent_ms, host_bound_ms + delivery_ms), is_answer, _DELIVERY_MS / 1000
    )
    trip_ms = max(clock.utc_ms() - sent_ms, 0)
    half_ms = (trip_ms + 1) // 2
    if trip_ms > delivery_ms:
        return late_mark(reply, clock, host_bound_ms, _key_id(client))
    mark = Mark(reply.boot, reply.t_ms, sent_ms + half_ms, half_ms + host_bound_ms, True, _key_id(client))
    return HostMark(mark, "live")
