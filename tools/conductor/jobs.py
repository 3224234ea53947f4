"""Work that an event loop gives to threads: done in the loop's own, one piece at a time, in an order from the seed.

So it needs no change of threads, which takes long on a busy computer. A piece is done when it is given or later, and
its result is delivered later still: before or after other work of the loop, as drawn. Pieces of one pool begin in
order, as they do without a conductor.
"""

import asyncio
import random
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any


class _Job:
    def __init__(self, work: Callable[[], Any], answer: asyncio.Future[Any]) -> None:
        self.work = work
        self.answer = answer
        self.done: Future[Any] | None = None


class _Pool:
    """Jobs of one executor. Whoever uses the executor past the loop finds all earlier jobs done."""

    def __init__(self, executor: Executor, at_edge: Callable[[], None]) -> None:
        self._at_edge = at_edge
        self.jobs: list[_Job] = []
        self._executor = executor
        self._submit, self._shutdown = executor.submit, executor.shutdown
        self.workers: int = getattr(executor, "_max_workers", 1)
        executor.submit = self._submit_past_loop  # type: ignore[method-assign]
        executor.shutdown = self._shut_down  # type: ignore[method-assign]

    def carry_out(self, job: _Job) -> None:
        """Do a job, as in a thread that has no event loop."""
        if job.done is not None:
            return
        self._at_edge()
        job.done = Future()
        loop = asyncio._get_running_loop()
        asyncio._set_running_loop(None)
        try:
            job.done.set_result(job.work())
        except Exception as error:
            job.done.set_exception(error)
        finally:
            asyncio._set_running_loop(loop)
        self._at_edge()

    def check_open(self) -> None:
        """RuntimeError when the executor was shut down."""
        if getattr(self._executor, "_shutdown", False):
            raise RuntimeError("cannot schedule new futures after shutdown")

    def _finish(self) -> None:
        for job in self.jobs:
            self.carry_out(job)

    def _submit_past_loop(self, work: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        self._finish()
        return self._submit(work, *args, **named)

    def _shut_down(self, *args: Any, **named: Any) -> None:
        self._finish()
        self._shutdown(*args, **named)


class Jobs:
    """The jobs of one loop. `draw`: random numbers of the moment; `at_edge`: called before and after each job."""

    def __init__(self, draw: Callable[[], random.Random], at_edge: Callable[[], None]) -> None:
        self._draw, self._at_edge = draw, at_edge
        self._pools: dict[Executor, _Pool] = {}
        self._default: ThreadPoolExecutor | None = None

    def add(self, executor: Executor | None, work: Callable[[], Any], answer: asyncio.Future[Any]) -> None:
        """Take a job; `answer` gets its result. RuntimeError when the executor was shut down."""
        if executor is None:
            self._default = self._default or ThreadPoolExecutor(thread_name_prefix="asyncio")
            executor = self._default
        if executor not in self._pools:
            self._pools[executor] = _Pool(executor, self._at_edge)
        pool = self._pools[executor]
        pool.check_open()
        job = _Job(work, answer)
        pool.jobs.append(job)
        # a thread that is free may be faster than the loop
        if len(pool.jobs) <= pool.workers and self._draw().random() < 0.5:
            pool.carry_out(job)

    def step(self, must: bool) -> bool:
        """Deliver one result, or with `must` False perhaps none; whether one was delivered."""
        busy = [pool for pool in self._pools.values() if pool.jobs]
        if not busy or not (must or self._draw().random() < 0.5):
            return False
        pool = self._draw().choice(busy)
        job = self._draw().choice(pool.jobs[: pool.workers])
        pool.carry_out(job)
        pool.jobs.remove(job)
        assert job.done is not None
        if not job.answer.cancelled():
            error = job.done.exception()
            if error is not None:
                job.answer.set_exception(error)
            else:
                job.answer.set_result(job.done.result())
        return True

    def shut_default_down(self) -> None:
        """Finish what the default executor has, and end its threads."""
        if self._default is not None:
            self._default.shutdown()
            self._default = None
