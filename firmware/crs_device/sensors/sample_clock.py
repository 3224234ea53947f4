"""How fast the chip really samples, compared with the board's crystal: its own oscillator may be some percent off.

Beats are measured in samples, so a heart rate is off by as much; SpO2 is not. A delayed drain finds samples that
came after its time was taken, never fewer than the time says. So of each window the drain counts that was ahead least
(the lower envelope; the same method takes network delays out of a clock's skew). A program that is late for a whole
window still shifts one estimate. An oscillator gives the same one minute after minute, and lateness does not: only
what `AGREEING` minutes in a row agree about is believed.
"""

from crs_core.compat import const

NOMINAL_MS = const(40)  # from sample to sample at 25 Hz
WINDOW_MS = const(20000)  # one of its 55 drains or so was on time
SPAN_MS = const(60000)  # of one estimate; its ends are known to one or two samples: 0.13 % of it
AGREEING = const(3)  # estimates in a row
GROSS = const(2)  # as many are enough for a chip that is no use
AGREE = const(4)  # permille between an estimate and the mean of those before it
SLIGHT = const(10)  # permille; less is jitter of the polls and not corrected
TOLERANCE = const(
    30
)  # permille; the data sheet's limits of the chip's clock, with room for heat and the crystal
OFF_MAX = const(100)  # permille; more is no oscillator's error


class SampleClock:
    """`count()` every drained burst; `permille` is 1000 at 25.00 Hz, and until enough estimates agree."""

    def __init__(self) -> None:
        self.permille = 1000
        self._sum = self._agreeing = 0  # of the estimates that agree, less 1000
        self.restart()

    def restart(self) -> None:
        """Start a span with the next burst: uncounted samples are missing, or the chip slept."""
        self._since_ms = -1
        self._samples = 0
        self._window_ms = 0  # when this window began, of the span
        self._ahead_ms = self._ahead_at_ms = 0  # the drain of this window that was ahead least, and when
        self._first_ms = self._first_at_ms = -1  # that of the span's first window

    def count(self, n: int, now_ms: int) -> None:
        """`n` samples, lost ones included, came since the last call. No allocation."""
        if self._since_ms < 0:
            self._since_ms = now_ms
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
        elif at_ms >= SPAN_MS:
            self._weigh((self._ahead_ms - self._first_ms) * 1000 // (self._ahead_at_ms - self._first_at_ms))
            self.restart()
            return
        self._window_ms = at_ms
        self._ahead_ms = 1 << 29  # the next drain is the least so far

    def _weigh(self, off: int) -> None:
        """Take one estimate, in permille above 25 Hz; a single one that disagrees changes nothing."""
        if self._agreeing and abs(off - self._sum // self._agreeing) <= AGREE:
            self._sum += off
            self._agreeing += 1
        else:
            self._sum = off
            self._agreeing = 1
        off = self._sum // self._agreeing
        if self._agreeing >= (GROSS if abs(off) > OFF_MAX else AGREEING):
            self.permille = 1000 + off
            self._sum = off * AGREEING  # the past weighs no more than this: an oscillator follows the heat
            self._agreeing = AGREEING

    def corrected(self, rate: "int | None") -> "int | None":
        """Convert a rate that was measured in samples into the board's time; None for a chip out of tolerance."""
        off = abs(self.permille - 1000)
        if rate is None or off > TOLERANCE:
            return None
        return rate if off <= SLIGHT else (rate * self.permille + 500) // 1000
