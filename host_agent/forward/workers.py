"""All receivers of this agent at once: wake them after a commit, or hand them an event past the store."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence

from host_agent.clock import Clock
from host_agent.forward.delivery import Delivery, OnReply
from host_agent.forward.final_text import Word
from host_agent.forward.receiver import Receiver
from host_agent.forward.registry import forwarder_of
from host_agent.forward.waiting import Together
from host_agent.forward.worker import Undelivered, Worker
from host_agent.store.db import Store

_ATTEMPT_GRACE_S = 5.0  # a forwarder keeps its own deadline; one that does not is left this much later


def worker_of(receiver: Receiver, store: Store, clock: Clock, word: Word | None = None) -> Worker:
    """The worker of one receiver of the configuration; `clock` is real. `word` makes its texts, see `FinalTexts`."""
    return Worker(
        store, forwarder_of(receiver, clock.utc_ms), retry_first_s=receiver.retry_first_s,
        retry_cap_s=receiver.retry_cap_s, attempt_max_s=receiver.timeout_s + _ATTEMPT_GRACE_S, clock=clock,
        word=word,
    )  # fmt: skip


class Workers:
    """One worker per receiver."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self._workers = tuple(workers)
        self._loop: asyncio.AbstractEventLoop | None = None

    def __iter__(self) -> Iterator[Worker]:
        return iter(self._workers)

    def jobs(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        """(name, what runs until cancelled): one for each receiver, and one for each connection that stays."""
        jobs = [(f"target {worker.name}", worker.run) for worker in self]
        return jobs + [
            (f"connection {one.name}", one.connection) for one in self if one.connection is not None
        ]

    def use_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """The event loop that `run` of each worker is in; before that, `wake_from_thread` does nothing."""
        self._loop = loop

    def take_replies(self, on_reply: OnReply) -> None:
        """Give what people send back over any receiver to `on_reply`; before any worker runs."""
        for worker in self._workers:
            worker.take_replies(on_reply)

    def wake(self) -> None:
        """There may be something to send. Call from the event loop's thread."""
        for worker in self._workers:
            worker.wake()

    def wake_from_thread(self) -> None:
        """`wake` from the store's writer thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.wake)

    def undelivered(self) -> list[Undelivered]:
        """What receivers have not got of the events that no store holds."""
        return [one for worker in self._workers for one in worker.undelivered()]

    def taken(self) -> set[int]:
        """The outbox rows (ids) that receivers took and that the store could not note yet."""
        return {row_id for worker in self._workers for row_id in worker.taken()}

    def retry_now(self) -> None:
        """Try what waits at once, whatever pause a receiver is in."""
        for worker in self._workers:
            worker.retry_now()

    def offer(
        self,
        priority: int,
        simulated: bool,
        delivery: Delivery,
        *,
        share: str = "",
        kind: str = "",
        together: Together | None = None,
    ) -> None:
        """Send from memory to each receiver that may have it: a simulation only to those that accept them."""
        for worker in self._workers:
            if not simulated or worker.accept_simulated:
                worker.offer(priority, delivery, share, kind, together)

    async def close(self) -> None:
        """Release all connections; after each `run` ended."""
        for worker in self._workers:
            await worker.close()
