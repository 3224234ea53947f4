"""Compare the time stamps of samples with the stated rate: a hole becomes lost samples, a contradiction is refused."""

from fractions import Fraction

HOLE_MAX_S = 3600.0  # two recordings in one file, or a clock that was set
AGREE = 0.01  # the rate of the stamps may differ by so much: a heart rate is then wrong by as little
CHECK_S = 2.0  # of stamps are enough to compare; the chain gives no value before
_ROWS_MIN = 10
RESOLUTION_MAX_S = 2.0  # coarser stamps hide a hole
_JITTER = 0.75  # a stamp may be so many samples early or late; with half of a coarse step more
_ROUNDED = 0.5  # a step of the stamps that is more of a sample moves them by its rounding
_COARSE = 1.05  # a step of more samples than this holds one of them at least
_FOLLOW = 0.02  # share of a sample's jitter by which the expected time follows the stamps
_UNITS_S = {1.0: "s", 1e-3: "ms", 1e-6: "us", 86400.0: "d"}


class BackwardsError(ValueError):
    """A stamp does not come after the one before."""


def unit_of(step: float, rate_hz: Fraction) -> float:
    """Length of the unit in which `step` is one sample of this rate; ValueError when none is."""
    for unit_s in _UNITS_S:
        if abs(step * unit_s * float(rate_hz) - 1) < 0.1:
            return unit_s
    raise ValueError(
        f"the first two time stamps are {step:g} apart, which is no sample of --fs {float(rate_hz):g} in any unit."
        " Correct --fs, or name the unit of the column: t_s or t_ms"
    )


class Stamps:
    """Takes the stamps of one recording in order. Stamps coarser than a sample are counted by their ticks."""

    def __init__(self, rate_hz: Fraction) -> None:
        self._rate_hz = float(rate_hz)
        self._first_s = self._last_s = 0.0
        self._expected_s = 0.0  # of the last sample
        self._rows = self._holes = 0
        self._even, self._even_s = 0, 0.0  # samples without a hole, and their time
        self._in_tick, self._whole_tick = 1, False

    def lost_before(self, t_s: float, resolution_s: float) -> int:
        """Samples missing before this one; ValueError when the stamp does not come after, or contradicts the rate."""
        self._rows += 1
        if self._rows == 1:
            self._first_s = self._last_s = self._expected_s = t_s
            return 0
        if self._rows == _ROWS_MIN and resolution_s > RESOLUTION_MAX_S:
            raise ValueError(
                f"the times have steps of {resolution_s:g} s, which hides missing samples. Write the seconds too"
            )
        step = resolution_s * self._rate_hz
        coarse = step > _COARSE
        jitter = _JITTER + (step / 2 if step > _ROUNDED else 0.0)
        step_s = t_s - self._last_s
        if step_s < 0 or (step_s == 0 and step < 1 / _COARSE):
            raise BackwardsError
        if step_s > HOLE_MAX_S:
            raise ValueError(f"a hole of {step_s:g} s before it. Cut the file there")
        self._last_s = t_s
        lost = self._tick(step_s, resolution_s) if coarse else self._sample(t_s, step_s, jitter)
        self._compare(0.0 if coarse else resolution_s)
        return lost

    def _sample(self, t_s: float, step_s: float, jitter: float) -> int:
        self._expected_s += 1 / self._rate_hz
        ahead = (t_s - self._expected_s) * self._rate_hz
        if ahead >= jitter:
            self._holes += 1
            self._expected_s = t_s
            return round(ahead)
        if ahead < -jitter:
            raise ValueError(self._contradiction((self._rows - 1) / (self._last_s - self._first_s)))
        self._even += 1
        self._even_s += step_s
        self._expected_s += _FOLLOW * (t_s - self._expected_s)
        return 0

    def _tick(self, step_s: float, resolution_s: float) -> int:
        if step_s == 0:
            self._in_tick += 1
            if self._in_tick > resolution_s * self._rate_hz * (1 + AGREE) + 2:
                raise ValueError(self._contradiction(self._in_tick / resolution_s))
            return 0
        rows, whole = self._in_tick, self._whole_tick
        self._in_tick, self._whole_tick = 1, step_s < 1.5 * resolution_s
        if not self._whole_tick:
            self._holes += 1
            return round((step_s - resolution_s) * self._rate_hz)
        if not whole:
            return 0
        self._even += rows
        self._even_s += step_s
        lost = round(step_s * self._rate_hz) - rows
        return lost if lost > 1 else 0

    def _compare(self, resolution_s: float) -> None:
        if self._rows >= _ROWS_MIN and self._holes > self._rows / 2:
            raise ValueError(self._contradiction((self._rows - 1) / (self._last_s - self._first_s)))
        if self._even_s < CHECK_S:
            return
        found_hz = self._even / self._even_s
        unsure = (resolution_s + 1.5 / self._rate_hz) / self._even_s
        if abs(found_hz / self._rate_hz - 1) > AGREE + unsure:
            raise ValueError(self._contradiction(found_hz))

    def _contradiction(self, found_hz: float) -> str:
        return (
            f"the time stamps say {found_hz:.4g} samples a second, --fs says {self._rate_hz:g}. Correct --fs, or the"
            " column of times"
        )
