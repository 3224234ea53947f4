"""The radio channel in simulated time: when a connection has its events, and what does not get through. By a seed.

An advertiser adds its random delay to each interval; a scanner misses some advertisements. A connection has an event
each interval, one of those that its central allows. What an event loses comes with a later one: the link layer repeats.
An end that hears nothing for the supervision time-out has lost the connection.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from typing import Any

_ADVERTISING_DELAY_S = 0.010  # Core specification, volume 6, part B, 4.4.2.2.1
_INTERVAL_UNIT_S = 0.00125
_TIMEOUT_UNIT_S = 0.01


class Channel:
    """`unheard`, `lost`: shares of advertisements and of connection events; `packets`: each way in one event."""

    def __init__(self, seed: object, unheard: float = 0.1, lost: float = 0.05, packets: int = 6) -> None:
        self._chance = random.Random(f"radio channel {seed}")
        self._unheard, self._lost, self.packets = unheard, lost, packets

    def advertising_delay_s(self) -> float:
        """What an advertiser adds to its interval."""
        return self._chance.uniform(0, _ADVERTISING_DELAY_S)

    def is_heard(self) -> bool:
        """Whether one scanner hears one advertisement."""
        return self._chance.random() >= self._unheard

    def is_lost(self) -> bool:
        """Whether nothing gets through in one connection event."""
        return self._chance.random() < self._lost

    def events(self, allowed: Any) -> "ConnectionEvents":
        """Those of a new connection; `allowed` is the central's LE Create Connection, which gets the drawn interval."""
        units = self._chance.randint(allowed.connection_interval_min, allowed.connection_interval_max)
        allowed.connection_interval_min = units
        interval_s = units * _INTERVAL_UNIT_S
        first_s = asyncio.get_running_loop().time() + self._chance.uniform(_INTERVAL_UNIT_S, interval_s)
        return ConnectionEvents(self, first_s, interval_s, allowed.supervision_timeout * _TIMEOUT_UNIT_S)


class ConnectionEvents:
    """When the two ends of a connection meet. `is_broken` asks whether they cannot hear each other now."""

    def __init__(self, channel: Channel, first_s: float, interval_s: float, timeout_s: float) -> None:
        self._channel, self._first_s, self._interval_s = channel, first_s, interval_s
        self.timeout_s = timeout_s
        self.is_broken: Callable[[], bool] = lambda: False
        self._waiting: dict[object, deque[Callable[[], None]]] = {}
        self._is_planned = False

    def send(self, sender: object, packet: Callable[[], None]) -> None:
        """Carry a packet of one end at the next event; `packet()` delivers it."""
        self._waiting.setdefault(sender, deque()).append(packet)
        self._plan()

    def _plan(self) -> None:
        if self._is_planned or not any(self._waiting.values()):
            return
        loop = asyncio.get_running_loop()
        passed = int((loop.time() - self._first_s) // self._interval_s)
        loop.call_at(self._first_s + max(0, passed + 1) * self._interval_s, self._event)
        self._is_planned = True

    def _event(self) -> None:
        self._is_planned = False
        if not (self.is_broken() or self._channel.is_lost()):
            for packets in self._waiting.values():
                for _ in range(min(len(packets), self._channel.packets)):
                    packets.popleft()()
        self._plan()
