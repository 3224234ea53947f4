"""How fast the chip really samples, against the board's crystal: its own oscillator may be some percent off.

Beats are measured in samples, so a heart rate is off by as much; SpO2 is not. A drain that was held up finds samples
that came after its time was taken, never fewer than the time says: so of each window the drain that was ahead least
counts (the lower envelope, as delays over a network are taken out of a clock's skew).
"""

from crs_core.compat import const

NOMINAL_MS = const(40)  # from sample to sample at 25 Hz
WINDOW_MS = const(20000)  # of its drains, some 55, one was on time
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
        self._window_ms = 0  # when this window began, of the span
        self._ahead_ms = self._ahead_at_ms = 0  # the drain of this window that was ahead least, and when
        self._first_ms = self._first_at_ms = -1  # that of the span's first window

    def restart(self) -> None:
        """Samples went missing uncounted, or the chip slept: measure from the next burst on."""
        self._since_ms = -1

    def count(self, n: int, now_ms: int) -> None:
        """`n` samples, lost ones included, came since the last call. No allocation."""
        if self._since_ms < 0:
            self._since_ms = now_ms
            self._samples = self._window_ms = self._ahead_ms = self._ahead_at_ms = 0
            self._first_at_ms = -1
            return
        self._samples += n
        at_ms = now_ms - self._since_ms
        ahead_ms = self._samples * NOMINAL_MS - at_ms
        if ahead_ms < self._ahead_ms:
            self._ahead_ms = ahead_ms
            self._ahead_at_ms = at_ms
        if at_ms - self._window_ms < WINDOW_MS:
            return
        if self._first_at_ms < 0:
            self._first_ms = self._ahead_ms
            self._first_at_ms = self._ahead_at_ms
        elif at_ms >= FIRST_MS:
            span_ms = self._ahead_at_ms - self._first_at_ms
            self.permille = 1000 + (self._ahead_ms - self._first_ms) * 1000 // span_ms
            if at_ms >= SPAN_MS:
                self._since_ms = -1
                return
        self._window_ms = at_ms
        self._ahead_ms = 1 << 29  # the next drain is the least so far

    def corrected(self, rate: int) -> int:
        """A rate that was measured in samples, in the board's time."""
        if abs(self.permille - 1000) <= TOLERANCE:
            return rate
        return (rate * self.permille + 500) // 1000
