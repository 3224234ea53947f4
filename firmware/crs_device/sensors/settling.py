"""Whether a probe that touches a body shows that body's temperature, judged by where its course leads; integers only.

A probe approaches the body as a first-order system, T(t) = T_body - D exp(-t / tau), with tau from 20 s (a bead on
skin) to 300 s (a strap in an axilla that was open: such a pocket takes 5 to 10 min to warm through). Two equal spans
with the changes d1 and d2 give what is left to go: d2 * d2 / (d1 - d2). A fast part hides a slow one and noise moves
both, so the quotient is held between what tau = 120 s and tau = 300 s would leave. Numbers marked † are proposals a
clinician or the probe's maker must sign.
"""

from array import array

from crs_core.compat import const
from crs_core.units import TEMP_ARTEFACT, TEMP_SETTLING, TEMP_VALID

_SPAN = const(6)  # blocks between two levels of an estimate
_RING = const(13)  # 2 spans and the newest
# a probe that does not move at all (a restart on the body) need not wait for two spans
_SHORT_SPAN = const(3)
_END_MC = const(100)  # † settled: at most 0.10 °C left to go, in 0.001 °C
_AGREE = const(2)  # † estimates in a row that must say so: noise alone would end the wait too early
_FEVER_MC = const(38_000)  # a course that leads across this is not settled below it
# † within the ring's 2 min: 4.5 °C/h; no body does, an open arm or a slipped probe does
_FALL_MC = const(150)
_BACK_MC = const(150)  # † this near to the level before the fall: back
_NEAR_MC = const(300)  # † or this near, and settled
_PLATEAU_BLOCKS = const(180)  # † settled lower down for 30 min: that is the temperature now
# from here a probe that still warms is believed: the body is at least as warm
_WARMING_COUNTS_CC = const(3800)
MIN_CONTACT_MS = const(45000)  # † but never before this


class Settling:
    """`restart()` at each contact, `add()` each 10 s, `judge()` with each reading."""

    def __init__(self) -> None:
        self._levels_mc = array("i", [0] * _RING)
        self.restart()

    def restart(self) -> None:
        """Forget the course: a new contact begins."""
        self._n = 0
        self._fell_from_mc = 0  # level before an artefact; 0: none
        self._still = 0  # estimates in a row that leave little to go
        # blocks for which it has been settled below that level, less twice those for which it was not
        self._lower = 0
        self.settled = False

    def add(self, level_mc: int) -> None:
        """Take the mean of the last 10 s in 0.001 °C."""
        self._levels_mc[self._n % _RING] = level_mc
        self._n += 1
        left_mc = self._left_mc()
        leads_here = -_END_MC <= left_mc <= _END_MC
        self._still = self._still + 1 if leads_here else 0
        is_still = self._still >= _AGREE
        if not self.settled:
            self.settled = is_still and not level_mc < _FEVER_MC <= level_mc + left_mc
        elif self._fell_from_mc:
            self._lower = self._lower + 1 if leads_here else max(self._lower - 2, 0)
            below_mc = self._fell_from_mc - level_mc
            is_back = below_mc <= _BACK_MC or (is_still and below_mc <= _NEAR_MC)
            # A fever is not taken back by what may be half an open arm.
            if level_mc < _FEVER_MC <= self._fell_from_mc:
                is_back = False
            if is_back or self._lower >= _PLATEAU_BLOCKS:
                self._fell_from_mc = 0

    def highest_mc(self, blocks: int = _RING) -> int:
        """Highest of the last `blocks` levels; 0 without one."""
        highest = 0
        for i in range(max(self._n - blocks, self._n - _RING, 0), self._n):
            level = self._levels_mc[i % _RING]
            if level > highest:
                highest = level
        return highest

    def judge(self, temp_cc: int, contact_ms: int) -> int:
        """TEMP_VALID, TEMP_SETTLING or TEMP_ARTEFACT of a reading after so long a contact; call for each in turn."""
        highest_mc = self.highest_mc()
        falls = highest_mc - temp_cc * 10 >= _FALL_MC
        if not self.settled:
            warm = temp_cc >= _WARMING_COUNTS_CC and contact_ms >= MIN_CONTACT_MS
            return TEMP_VALID if warm and not falls else TEMP_SETTLING
        if falls and not self._fell_from_mc:
            self._fell_from_mc = highest_mc
            self._lower = 0
        return TEMP_ARTEFACT if self._fell_from_mc else TEMP_VALID

    def _left_mc(self) -> int:
        """How far the probe has still to go, signed, in 0.001 °C; very large while it cannot be estimated."""
        if self._n <= _SHORT_SPAN:
            return _FEVER_MC
        newest = self._level(0)
        if self._n < _RING:
            return (newest - self._level(_SHORT_SPAN)) * 19 // 2  # tau = 300 s over 30 s
        middle = self._level(_SPAN)
        change = newest - middle
        before = middle - self._level(2 * _SPAN)
        size = abs(change)
        most = size * 9 // 2  # tau = 300 s over 60 s
        if change * before > 0 and abs(before) > size:
            left = min(max(size * size // (abs(before) - size), size * 3 // 2), most)
        else:
            left = most
        return left if change > 0 else -left

    def _level(self, back: int) -> int:
        return self._levels_mc[(self._n - 1 - back) % _RING]
