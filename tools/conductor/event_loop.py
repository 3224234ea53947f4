"""An asyncio event loop in simulated time: the loop of asyncio itself, on a selector that takes turns.

    use_turns(Turns(path, "air"))      # from now on asyncio.run() makes such loops
    asyncio.run(main())

While anything is left to do the loop works as ever and its time stands. When nothing is left its turn ends. The seed
orders what happens at the same moment: timers, descriptors, results of threads.
"""

import asyncio
import math
import os
import random
import select
import selectors
import sys
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, Protocol

from tools.conductor.jobs import Jobs
from tools.conductor.tcp_arrival import TcpArrivals
from tools.conductor.turns import Turns

# Programs take a monotonic clock near zero for a computer that has just started.
START_S = 10_000.0
_RESOLUTION_S = 1e-6
_TIE_S = 1e-7  # timers of one moment differ by less than this, so that the seed orders them
_LATE_MS = 2000

Ready = list[tuple[selectors.SelectorKey, int]]


class LatePorts(Protocol):
    """Descriptors whose bytes the kernel hands over late."""

    def late(self) -> list[int]:
        """The descriptors to which more was sent than was read."""

    def give_up(self, fd: int) -> None:
        """They do not come."""


class OwnTime(Protocol):
    """What a loop needs to know of its time: a participant's `Turns`, or the player's."""

    seed: int
    name: str
    life: int

    @property
    def now_us(self) -> int:
        """Axis time."""


class _Moment:
    """Random numbers of this participant: for the same moment the same, whatever happened before."""

    def __init__(self, turns: OwnTime) -> None:
        self._turns = turns
        self._at_us = -1
        self._random = random.Random()
        self._hashes = 0

    def draw(self) -> random.Random:
        """The source of this moment."""
        if self._at_us != self._turns.now_us:
            self._at_us, self._hashes = self._turns.now_us, 0
            self._random.seed(f"{self._turns.seed} {self._turns.name} {self._turns.life} {self._at_us}")
        return self._random

    def next_hash(self) -> int:
        """A hash that depends on no address in memory, for what programs keep in sets."""
        self.draw()
        self._hashes += 1
        return hash((self._at_us, self._hashes))


class TurnsSelector(selectors.EpollSelector):
    """Ends the turn where nothing is ready."""

    def __init__(self, turns: Any, moment: _Moment, jobs: Jobs, ports: LatePorts | None) -> None:
        super().__init__()
        self._turns, self._moment, self._jobs, self._ports = turns, moment, jobs, ports
        self._arrivals = TcpArrivals()
        self._ran = True
        self._registered: dict[int, int] = {}  # order of registration: numbers of descriptors say less
        self._count = 0

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = super().register(fileobj, events, data)
        self._count += 1
        self._registered[key.fd] = self._count
        self._arrivals.note(key.fd)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        key = super().unregister(fileobj)
        del self._registered[key.fd]
        self._arrivals.note(key.fd)
        return key

    def close(self) -> None:
        super().close()
        self._arrivals.close()

    def select(self, timeout: float | None = None) -> Ready:
        """What is ready. Where nothing is, end the turn and come back in one that has something to do."""
        is_busy = timeout is not None and timeout <= 0
        if self._jobs.step(must=not is_busy):
            return []
        ready = self._look()
        if ready or is_busy:
            return ready
        until_us = (
            None if timeout is None else self._turns.now_us + max(1, math.ceil((timeout - 2 * _TIE_S) * 1e6))
        )
        self._arrivals.wait()
        while not ready and (until_us is None or self._turns.now_us < until_us):
            self.rest(until_us)
            self._ran = False
            ready = self._look()
        self._ran = True
        return ready

    def _look(self) -> Ready:
        for fd in self._ports.late() if self._ports else ():
            if fd in self._registered and self.get_map()[fd].events & selectors.EVENT_READ:
                poll = select.poll()
                poll.register(fd, select.POLLIN)
                if not poll.poll(_LATE_MS):
                    self._ports.give_up(fd)
        ready = super().select(0)
        if len(ready) > 1:
            ready.sort(key=lambda one: self._registered[one[0].fd])
            self._moment.draw().shuffle(ready)
        return ready

    def rest(self, until_us: int | None) -> None:
        """End the turn, and come back with the next one."""
        self._idle(until_us)
        self._wait_for_go()

    def _idle(self, until_us: int | None) -> None:
        try:
            self._turns.idle(until_us, self._ran)
        except EOFError:
            _leave()

    def _wait_for_go(self) -> None:
        poll = select.poll()
        poll.register(self._turns.fd, select.POLLIN)
        poll.register(self.fileno(), select.POLLIN)
        try:
            while not self._turns.take_go(block=False):
                if all(fd != self._turns.fd for fd, _ in poll.poll()):
                    self._turns.wake()
                    poll.unregister(self.fileno())
                    while not self._turns.take_go(block=False):
                        poll.poll()
                    return
        except EOFError:
            _leave()


def _leave() -> None:
    """There is no time any more; nothing that this process could still do would be part of a run."""
    sys.stderr.write("the conductor has ended, and this process with it\n")
    sys.stderr.flush()
    os._exit(1)


class _Future(asyncio.Future[Any]):
    def __init__(self, moment: _Moment, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self._hash = moment.next_hash()

    def __hash__(self) -> int:
        return self._hash


class _Task(asyncio.Task[Any]):
    # asked for while the constructor of Task still works
    _hash = 0

    def __new__(cls, moment: _Moment, *_: Any, **__: Any) -> "_Task":
        task = super().__new__(cls)
        task._hash = moment.next_hash()
        return task

    def __init__(self, moment: _Moment, coroutine: Coroutine[Any, Any, Any], **named: Any) -> None:
        super().__init__(coroutine, **named)

    def __hash__(self) -> int:
        return self._hash


class TurnsLoop(asyncio.SelectorEventLoop):
    """One loop of one participant. A process may make one after the other."""

    def __init__(
        self, turns: Any, ports: LatePorts | None = None, at_edge: Callable[[], None] = lambda: None,
        selector: type[TurnsSelector] | None = None,
    ) -> None:  # fmt: skip
        self._turns = turns
        self._moment = _Moment(turns)
        self._jobs = Jobs(self._moment.draw, at_edge)
        super().__init__((selector or TurnsSelector)(turns, self._moment, self._jobs, ports))
        self._clock_resolution = _RESOLUTION_S
        self.set_task_factory(self._make_task)  # type: ignore[arg-type]

    def time(self) -> float:
        """Seconds of the monotonic clock of the simulation."""
        return monotonic_s(self._turns)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """As ever; of timers for one moment the seed decides which is first."""
        tie_s = self._moment.draw().random() * _TIE_S
        return super().call_at(when + tie_s, callback, *args, context=context)

    def create_future(self) -> asyncio.Future[Any]:
        """A future whose place in a set depends on no address."""
        return _Future(self._moment, self)

    def _make_task(
        self, loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **named: Any
    ) -> asyncio.Task[Any]:
        return _Task(self._moment, coroutine, loop=loop, **named)

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """As ever; the thread's work takes no time, and its result comes when the seed says."""
        if self.is_closed():
            raise RuntimeError("Event loop is closed")
        answer = self.create_future()
        self._jobs.add(executor, lambda: func(*args), answer)
        return answer

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """End the threads of `asyncio.to_thread`."""
        self._jobs.shut_default_down()


def monotonic_s(turns: OwnTime) -> float:
    """The monotonic clock of the simulation."""
    return START_S + turns.now_us / 1e6


class _Policy(asyncio.DefaultEventLoopPolicy):
    def __init__(self, turns: Turns, ports: LatePorts | None, at_edge: Callable[[], None]) -> None:
        super().__init__()
        self._turns, self._ports, self._at_edge = turns, ports, at_edge

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        return TurnsLoop(self._turns, self._ports, self._at_edge)


def use_turns(
    turns: Turns, ports: LatePorts | None = None, at_edge: Callable[[], None] = lambda: None
) -> None:
    """Let every event loop of this process take turns. `at_edge` is called before and after each job of a thread."""
    asyncio.set_event_loop_policy(_Policy(turns, ports, at_edge))
