"""Alarms that no store holds, as the sound needs them: they sound while they are found again and again."""

from typing import Any, Protocol

from crs_core.codes import NO_SOUND

from host_agent.clock import Clock
from host_agent.store.sounding import Ringing

HOLDS_S = 60.0  # longer than any check pauses, and than a wearable waits before it sends again


class Offer(Protocol):
    """Hands an event to the receivers, past the store."""

    def __call__(
        self, priority: int, simulated: bool, delivery: Any, *, share: str, kind: str, together: Any
    ) -> None:
        """As `Workers.offer`."""


class FromMemory:
    """What was offered to the receivers past the store, for HOLDS_S after it was offered last."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: dict[str, tuple[float, Ringing]] = {}

    def ringing(self) -> list[Ringing]:
        """What sounds from memory now. Nobody can accept it: the store that would keep that does not serve."""
        now_s = self._clock.monotonic()
        self._last = {key: one for key, one in self._last.items() if now_s - one[0] < HOLDS_S}
        return [one for _, one in self._last.values()]

    def beside(self, offer: Offer) -> Offer:
        """`offer`, with everything that passes remembered here."""

        def heard(
            priority: int, simulated: bool, delivery: Any, *, share: str, kind: str, together: Any
        ) -> None:
            if not kind.endswith(f"-{NO_SOUND}"):
                key = f"memory-{delivery.event_key}"
                one = Ringing(key, priority, simulated, 0, is_own=not share)
                self._last[key] = (self._clock.monotonic(), one)
            offer(priority, simulated, delivery, share=share, kind=kind, together=together)

        return heard
