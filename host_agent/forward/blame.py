"""Whose fault a failed attempt is: the receiver's, so that every event keeps its place, or that of this one event.

| answer                                    | whose fault                                             |
|-------------------------------------------|---------------------------------------------------------|
| no connection, HTTP 401, 407, 408, 429, 503 | the receiver's for sure                               |
| another HTTP 4xx about this event           | the event's for sure                                  |
| anything else                               | the receiver's, until it takes another and refuses this one again |

An answer that lets the others go on (HTTP 500) is the event's until a second event fails before any is taken.
"""

from host_agent.forward.delivery import RetryAfter
from host_agent.store.outbox import Row

# After so many failures another event is tried, to see whose fault it is: one of another episode, because within an
# episode the order counts, and only after many failures (two minutes) any other one.
_DOUBT_AFTER = 2
_DOUBT_EPISODE_AFTER = 8


class Blame:
    """What is known of one receiver's rows since it last took an event. In memory: a restart asks once more."""

    def __init__(self) -> None:
        self.own: set[int] = set()  # rows (ids) whose failures are their own
        self._failed: dict[int, int] = {}  # row id → failures since the receiver last took an event
        self._episodes: set[int] = set()  # of those rows
        self._doubted: Row | None = None
        self._is_out = False  # it said for sure that it takes nothing

    def is_own(self, row: Row, outcome: RetryAfter) -> bool:
        """Whether this failure is the event's own: it alone waits longer. Else every event keeps its place."""
        was_doubted, self._doubted = self._doubted, None
        if outcome.is_receivers:
            self._is_out = True
            return False
        if outcome.is_events or row.id in self.own:
            self.own.add(row.id)
            return True
        self._episodes |= set() if row.episode is None else {row.episode}
        times = self._failed[row.id] = self._failed.get(row.id, 0) + 1
        if not outcome.whole_target and len(self._failed) == 1 and not self._is_out:
            return True
        if times >= _DOUBT_AFTER and was_doubted is None:
            self._doubted = row
        return False

    def taken(self, row_id: int) -> None:
        """The receiver took or judged this event. Those that failed before it, and that it passed, are doubted now."""
        if row_id not in self._failed:
            self.own |= self._failed.keys()
        self.own.discard(row_id)
        self._begin()

    def forget(self) -> None:
        """Somebody repaired the receiver."""
        self.own.clear()
        self._begin()

    def _begin(self) -> None:
        self._failed.clear()
        self._episodes.clear()
        self._doubted = None
        self._is_out = False

    @property
    def is_probing(self) -> bool:
        """Whether another event must be tried now, in spite of the pause."""
        return self._doubted is not None

    @property
    def passed(self) -> set[int]:
        """Rows that a probe leaves out: they failed already."""
        return set(self._failed) if self._doubted else set()

    @property
    def kept_episodes(self) -> set[int]:
        """Episodes (row ids) that a probe leaves out, so that their events come in their order."""
        if self._doubted is None or self._failed[self._doubted.id] >= _DOUBT_EPISODE_AFTER:
            return set()
        return set(self._episodes)

    def end_probe(self) -> None:
        """There is nothing to probe with."""
        self._doubted = None
