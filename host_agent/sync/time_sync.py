"""Telling a wearable the time, and learning from the round trip when its ticks were."""

from typing import Any, NamedTuple

from crs_core.wire import message as wire

from host_agent.clock import Clock
from host_agent.sync.client import DeviceClient

_DELIVERY_MS = 2000  # real; what TIME's own delivery may take before the wearable reads it


class LiveMark(NamedTuple):
    """The wearable's boot and ms since boot stood at `utc_ms` ± `bound_ms`."""

    boot: int
    t_ms: int
    utc_ms: int
    bound_ms: int


async def exchange_time(client: DeviceClient, clock: Clock, host_bound_ms: int) -> LiveMark | None:
    """Send TIME with a bound that covers its delivery, wait for TIME_IS; None when the answer came too late for it.

    The wearable journals the mark that TIME carries; the round trip gives the host a tighter one.
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
        return None
    return LiveMark(reply.boot, reply.t_ms, sent_ms + half_ms, half_ms + host_bound_ms)
