"""Send the time to a wearable, and date its clock by the round trip."""

from typing import Any, NamedTuple

from crs_core.wire import message as wire

from host_agent.clock import Clock
from host_agent.store.time_marks import Mark
from host_agent.sync.client import DeviceClient

_DELIVERY_MS = 2000  # real; longest time until the wearable has read TIME


class HostMark(NamedTuple):
    """A mark that this host made. `source` is "live", or "journal" when it corrects the mark that the wearable
    journaled at this very moment."""

    mark: Mark
    source: str


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
    key_id = client.key.key_id if client.key else None
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
        return late_mark(reply, clock, host_bound_ms, key_id)
    mark = Mark(reply.boot, reply.t_ms, sent_ms + half_ms, half_ms + host_bound_ms, True, key_id)
    return HostMark(mark, "live")
