"""How fast the chip really samples, compared with the board's crystal: its own oscillator may be some percent off.

Beats are measured in samples, so a heart rate is off by as much; SpO2 is not. A delayed drain finds samples that
came after its time was taken, never fewer than the time says. So of each window the drain counts that was ahead least
(the lower envelope; the same method takes network delays out of a clock's skew).
"""

from crs_core.compat import const

NOMINAL_MS = const(40)  # from sample to sample at 25 Hz
WINDOW_MS = const(20000)  # one of its 55 drains or so was on time
FIRST_MS = const(60000)  # ends of a span are known to one or two samples: 0.13 % of it
SPAN_MS = const(600000)  # then a new span begins; keeps the product below 2^30
TOLERANCE = const(10)  # permille; less is jitter of the polls and not corrected
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
        """Start again with the next burst: uncounted samples are missing, or the chip slept."""
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
        """Convert a rate that was measured in samples into the board's time."""
        if abs(self.permille - 1000) <= TOLERANCE:
            return rate
        return (rate * self.permille + 500) // 1000
