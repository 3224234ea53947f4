"""When a central may pair: within two minutes of the gesture, three failures at most.

A passkey that never changes gives one bit away with each failed attempt. So attempts are few, and need somebody at the
device.
"""

from crs_core.compat import const

WINDOW_MS = const(120_000)  # real time
_FAILURES_MAX = const(3)


class PairingWindow:
    """Closed until `open`; times are real ms."""

    def __init__(self) -> None:
        self._until_ms = -1
        self.failures = 0

    def open(self, now_real_ms: int) -> None:
        """Open the window: the gesture was made."""
        self._until_ms = now_real_ms + WINDOW_MS
        self.failures = 0

    def is_open(self, now_real_ms: int) -> bool:
        """Whether a central may pair now."""
        return 0 <= self._until_ms and now_real_ms < self._until_ms

    def failed(self) -> None:
        """Count a failed attempt; the third one closes the window."""
        self.failures += 1
        if self.failures >= _FAILURES_MAX:
            self.close()

    def close(self) -> None:
        """No central may pair until the next gesture."""
        self._until_ms = -1
