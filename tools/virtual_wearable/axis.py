"""The axis of time on which the wearable lives: this computer's clock, or a conductor's (see tools/conductor)."""

import time
from typing import Protocol


class Axis(Protocol):
    """Where now is. Both counts never go back."""

    def now_us(self) -> int:
        """Microseconds from an arbitrary start."""

    def now_s(self) -> float:
        """The same in seconds."""


class RealAxis:
    """This computer's own clock."""

    def now_us(self) -> int:
        """Microseconds from an arbitrary start."""
        return time.monotonic_ns() // 1000

    def now_s(self) -> float:
        """The same in seconds."""
        return time.monotonic_ns() / 1e9


class SimulatedAxis:
    """A count that only `move_to` moves."""

    def __init__(self, now_us: int = 0) -> None:
        self._now_us = now_us

    def move_to(self, now_us: int) -> None:
        """Come to this moment, unless it has passed already."""
        self._now_us = max(self._now_us, now_us)

    def now_us(self) -> int:
        """Microseconds since the run began."""
        return self._now_us

    def now_s(self) -> float:
        """The same in seconds."""
        return self._now_us / 1e6
