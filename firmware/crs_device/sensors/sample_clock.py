"""How fast the chip really samples, against the board's crystal: its own oscillator may be some percent off.

Beats are measured in samples, so a heart rate is off by as much; SpO2 is not.
"""

from crs_core.compat import const

NOMINAL_MS = const(40)  # from sample to sample at 25 Hz
FIRST_MS = const(60000)  # ends of a span are known to one or two samples: 0.13 % of it
SPAN_MS = const(600000)  # then a new span begins; keeps the product below 2^30
TOLERANCE = const(10)  # permille that are not worth correcting: jitter of polls
OFF_MAX = const(100)  # permille; more is no oscillator's error


class SampleClock:
    """`count()` every drained burst; `permille` is 1000 at 25.00 Hz, and until the first minute is over."""

    def __init__(self) -> None:
        self.permille = 1000
        self._since_ms = -1
        self._samples = 0

    def restart(self) -> None:
        """Samples went missing uncounted, or the chip slept: measure from the next burst on."""
        self._since_ms = -1

    def count(self, n: int, now_ms: int) -> None:
        """`n` samples, lost ones included, came since the last call. No allocation."""
        if self._since_ms < 0:
            self._since_ms = now_ms
            self._samples = 0
            return
        self._samples += n
        span_ms = now_ms - self._since_ms
        if span_ms >= FIRST_MS:
            self.permille = (self._samples * (NOMINAL_MS * 1000) + span_ms // 2) // span_ms
            if span_ms >= SPAN_MS:
                self._since_ms = now_ms
                self._samples = 0

    def corrected(self, rate: int) -> int:
        """A rate that was measured in samples, in the board's time."""
        if abs(self.permille - 1000) <= TOLERANCE:
            return rate
        return (rate * self.permille + 500) // 1000
