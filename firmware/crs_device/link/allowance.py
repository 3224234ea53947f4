"""How much the hosts may make the wearable journal or load, for each key alone.

A key begins with a full allowance, which refills with board time. So no key wears flash or fills the journal, whatever
it sends; the allowance of another key is not touched.
"""

from crs_core.compat import const

JOURNALED = const(60)  # one that writes records
LOOKED_UP = const(2)  # one that only loads code and reads flash
_FULL = const(1920)  # 32 that are journaled
_REFILL_MS = const(1000)  # one more each second: one that is journaled each minute


class Allowance:
    """`take(key_id, cost, now_ms)`; at most as many keys are remembered as a wearable has."""

    def __init__(self) -> None:
        self._left: dict[int, tuple[int, int]] = {}  # key id -> (left, when that was)

    def take(self, key_id: int, cost: int, now_ms: int) -> bool:
        """Take `cost` from the allowance of a key; False, and nothing is taken, when too little is left."""
        left, at_ms = self._left.get(key_id, (_FULL, now_ms))
        gained = (now_ms - at_ms) // _REFILL_MS
        left, at_ms = min(left + gained, _FULL), at_ms + gained * _REFILL_MS
        is_enough = left >= cost
        self._left[key_id] = (left - cost if is_enough else left, at_ms)
        return is_enough
