"""What waits for one receiver while the store fails: in memory, bounded, and a fair share for each wearable."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from host_agent.forward.delivery import Delivery
from host_agent.forward.share import SAME_MAX, WINDOW_MS, Turns, is_repetition
from host_agent.store.repetitions import AGAIN_AFTER_MS, TOGETHER_AFTER_MS

# Makes the delivery that tells of repetitions: their number, the times of the first and the last one (utc_ms).
Together = Callable[[int, int, int], Delivery]


class Offer(NamedTuple):
    """An event past the store. `share`: its wearable ("" the agent); `kind`: what it repeats when it comes again."""

    priority: int
    delivery: Delivery
    share: str = ""
    kind: str = ""
    together: Together | None = None


class Item(NamedTuple):
    """An offer that waits since `since_ms`."""

    offer: Offer
    since_ms: int


class _Repeated:
    """Repetitions of one kind that were counted and not told yet."""

    def __init__(self, offer: Offer, now_ms: int) -> None:
        self.offer = offer
        self.count = 0
        self.first_ms = self.last_ms = now_ms


class Waiting:
    """`now_ms` is real time. An offer whose key waits already changes nothing."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._items: dict[str, list[Item]] = {}
        self._recent: dict[str, deque[tuple[int, str, int]]] = {}  # (utc_ms, kind, priority) by share
        self._repeated: dict[tuple[str, str, int], _Repeated] = {}
        self._told_ms: dict[tuple[str, str, int], int] = {}  # when each kind was last told together
        self._counted: dict[str, None] = {}  # keys of repetitions: the same record comes again at each retry
        self._turns = Turns()
        self._failed: Item | None = None
        self._failures = 0  # of that one in a row

    def __bool__(self) -> bool:
        return any(self._items.values())

    def items(self) -> list[Item]:
        """Everything that waits."""
        return [item for items in self._items.values() for item in items]

    def has(self, event_key: str) -> bool:
        """Whether this event waits, or was counted as a repetition."""
        return event_key in self._counted or any(
            item.offer.delivery.event_key == event_key for item in self.items()
        )

    def add(self, offer: Offer) -> None:
        """Let it wait for its turn, or count it when the wearable has had its share."""
        if self.has(offer.delivery.event_key):
            return
        now_ms = self._now_ms()
        recent = self._recent.setdefault(offer.share, deque(maxlen=1000))
        while recent and not now_ms - WINDOW_MS < recent[0][0] <= now_ms:
            recent.popleft()
        waiting = self._items.setdefault(offer.share, [])
        same = sum(kind == offer.kind and priority >= offer.priority for _, kind, priority in recent)
        same = max(same, sum(self._is_same(item.offer, offer) for item in waiting))
        if offer.together and offer.kind and is_repetition(same, len(recent), len(waiting)):
            self._count(offer, now_ms)
            return
        recent.append((now_ms, offer.kind, offer.priority))
        waiting.append(Item(offer, now_ms))

    def next(self) -> Item | None:
        """Whose turn it is; one that failed twice in a row only when it is alone. None: nothing waits."""
        self._tell_repetitions()
        heads = self._heads(self._failed if self._failures > 1 else None) or self._heads(None)
        if not heads:
            return None
        share = self._turns.choose({share: item.offer.priority for share, item in heads.items()})
        return heads[share]

    def failed(self, item: Item) -> None:
        """It was not delivered, and stays."""
        self._failures = self._failures + 1 if item is self._failed else 1
        self._failed = item

    def done(self, item: Item) -> None:
        """It waits no longer."""
        self._items[item.offer.share].remove(item)
        self._failed, self._failures = None, 0

    def due_in_ms(self) -> int | None:
        """When counted repetitions fall due to be told; None without any."""
        now_ms = self._now_ms()
        # a first one after now: the clock was set back since
        dues = [
            one.first_ms + self._after_ms(place) - now_ms if one.first_ms <= now_ms else 0
            for place, one in self._repeated.items()
        ]
        return max(0, min(dues)) if dues else None

    def _heads(self, without: Item | None) -> dict[str, Item]:
        heads = {}
        for share, items in self._items.items():
            left = [item for item in items if item is not without]
            if left:
                heads[share] = max(left, key=lambda item: item.offer.priority)
        return heads

    @staticmethod
    def _is_same(one: Offer, other: Offer) -> bool:
        return one.kind == other.kind and one.priority >= other.priority

    def _count(self, offer: Offer, now_ms: int) -> None:
        one = self._repeated.setdefault((offer.share, offer.kind, offer.priority), _Repeated(offer, now_ms))
        one.offer = offer
        one.count += 1
        one.last_ms = now_ms
        self._counted[offer.delivery.event_key] = None
        if len(self._counted) > 100 * SAME_MAX:
            del self._counted[next(iter(self._counted))]

    def _tell_repetitions(self) -> None:
        """Counted repetitions wait as one event, unless such an event of their kind waits already."""
        now_ms = self._now_ms()
        for place, one in list(self._repeated.items()):
            told = f"again-{one.offer.kind}"
            if 0 <= now_ms - one.first_ms < self._after_ms(place) or any(
                item.offer.kind == told for item in self._items[one.offer.share]
            ):
                continue
            assert one.offer.together is not None
            delivery = one.offer.together(one.count, one.first_ms, one.last_ms)
            offer = one.offer._replace(delivery=delivery, kind=told, together=None)
            self._items[one.offer.share].append(Item(offer, now_ms))
            self._told_ms[place] = now_ms
            del self._repeated[place]

    def _after_ms(self, place: tuple[str, str, int]) -> int:
        told_ms = self._told_ms.get(place)
        is_again = told_ms is not None and 0 <= self._now_ms() - told_ms < WINDOW_MS
        return AGAIN_AFTER_MS if is_again else TOGETHER_AFTER_MS
