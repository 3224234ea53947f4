"""The chip's watchdog, enforced from outside and in real time: only feeding helps, a soft reset does not."""


class Watchdog:
    """Armed by the firmware, then due unless fed; cleared by a hard reset only."""

    def __init__(self) -> None:
        self._timeout_s = 0.0
        self._due: float | None = None
        self.bites = 0

    def arm(self, timeout_ms: int, now: float) -> None:
        """Start, or start again with another timeout; it cannot be stopped."""
        self._timeout_s = timeout_ms / 1000
        self._due = now + self._timeout_s

    def feed(self, now: float) -> None:
        """Put the reset off by one timeout."""
        if self._due is not None:
            self._due = now + self._timeout_s

    def clear(self) -> None:
        """Hard reset: unarmed until the firmware arms it."""
        self._due = None

    @property
    def due(self) -> float | None:
        """Monotonic time of the reset, None while unarmed."""
        return self._due

    def bites_now(self, now: float) -> bool:
        """Whether the chip is to be reset; counts it."""
        if self._due is None or now < self._due:
            return False
        self.bites += 1
        return True
