"""A fair share of a receiver for each wearable: whose turn it is, and how many events of one wearable are told singly.

Events of one kind (an alarm of one wearable) that come again and again are told together: the first ones each, the
later ones as one event with their number. The first of a kind, and one of a higher priority, is always told by itself.
The numbers are proposals that a clinician must sign.
"""

from collections.abc import Hashable, Mapping
from typing import TypeVar

WINDOW_MS = 600_000
SAME_MAX = 10  # events of one kind in the window that are told each by itself
ALL_MAX = 100  # events of one wearable in the window before only new kinds are
WAITING_MAX = 300  # events of one wearable that wait for one receiver before only new kinds join them

K = TypeVar("K", bound=Hashable)


def is_repetition(same: int, everything: int, waiting: int) -> bool:
    """Whether one more event is only counted.

    `same`: events of its kind and at least its priority in the window; `everything`: of its wearable in the window;
    `waiting`: of its wearable that the receiver has not taken.
    """
    return same >= SAME_MAX or (same > 0 and (everything >= ALL_MAX or waiting >= WAITING_MAX))


class Turns:
    """Chooses between wearables: the most urgent event first, and nobody twice in a row while another one waits.

    So an event that is as urgent as any waits for one delivery at most, however many another wearable has.
    """

    def __init__(self) -> None:
        self._turn = 0
        self._served: dict[Hashable, int] = {}

    def choose(self, waiting: Mapping[K, int]) -> K:
        """One of `waiting`, which holds the highest priority by wearable; it has its turn now."""
        chosen = self.next_of(waiting)
        self._turn += 1
        self._served[chosen] = self._turn
        return chosen

    def next_of(self, waiting: Mapping[K, int]) -> K:
        """Whom `choose` would choose."""
        last = max(self._served, key=lambda key: self._served[key], default=None)
        others = [key for key in waiting if key != last]
        chosen = min(waiting, key=lambda key: (-waiting[key], self._served.get(key, 0)))
        if chosen == last and others:
            chosen = min(others, key=lambda key: (self._served.get(key, 0), -waiting[key]))
        return chosen
