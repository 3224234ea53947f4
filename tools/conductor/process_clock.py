"""Every clock of a process is the simulation's: `time`, and the dates that files get when they are written anew.

Install it before the program itself is imported. Threads go on to wait for one another in real time: `threading` and
`queue` keep the clock that they took when they were imported.
"""

import contextlib
import os
import queue  # noqa: F401 keeps the real clock
import subprocess  # noqa: F401 keeps the real clock
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from tools.conductor.event_loop import OwnTime, monotonic_s

_real_sleep = time.sleep


class SleepingTime(OwnTime, Protocol):
    """Time in which the main program can sleep."""

    def utc_ns(self) -> int:
        """Wall time of the simulation."""

    def idle(self, until_us: int | None, ran: bool) -> None:
        """Nothing to do before then."""

    def take_go(self, block: bool) -> bool:
        """Go on; False: not yet."""


def use_clock(turns: SleepingTime) -> None:
    """Replace the clocks of this process."""
    utc_ns, monotonic_ns = turns.utc_ns, lambda: round(monotonic_s(turns) * 1e6) * 1000
    replaced: dict[str, Callable[..., Any]] = {
        "time": lambda: utc_ns() / 1e9,
        "time_ns": utc_ns,
        "monotonic": lambda: monotonic_s(turns),
        "monotonic_ns": monotonic_ns,
        "perf_counter": lambda: monotonic_s(turns),
        "perf_counter_ns": monotonic_ns,
        "clock_gettime": _by_clock(lambda: utc_ns() / 1e9, lambda: monotonic_s(turns), time.clock_gettime),
        "clock_gettime_ns": _by_clock(utc_ns, monotonic_ns, time.clock_gettime_ns),
        "localtime": _of_now(time.localtime, utc_ns),
        "gmtime": _of_now(time.gmtime, utc_ns),
        "ctime": _of_now(time.ctime, utc_ns),
        "sleep": lambda seconds: _sleep(turns, seconds),
    }
    for name, replacement in replaced.items():
        setattr(time, name, replacement)
    _date_files(utc_ns)


@contextlib.contextmanager
def clock_of(turns: SleepingTime) -> Iterator[None]:
    """As `use_clock`, until the block ends."""
    kept = [(time, name, value) for name, value in vars(time).items() if callable(value)]
    kept += [(os, "utime", os.utime), (os, "replace", os.replace)]
    use_clock(turns)
    try:
        yield
    finally:
        for module, name, value in kept:
            setattr(module, name, value)


def _by_clock(
    utc: Callable[[], Any], monotonic: Callable[[], Any], real: Callable[[int], Any]
) -> Callable[[int], Any]:
    ours = {
        time.CLOCK_REALTIME: utc, time.CLOCK_MONOTONIC: monotonic, time.CLOCK_BOOTTIME: monotonic,
        time.CLOCK_MONOTONIC_RAW: monotonic,
    }  # fmt: skip
    return lambda clock: ours[clock]() if clock in ours else real(clock)


def _of_now(real: Callable[[float], Any], utc_ns: Callable[[], int]) -> Callable[..., Any]:
    return lambda seconds=None: real(utc_ns() / 1e9 if seconds is None else seconds)


def _sleep(turns: SleepingTime, seconds: float) -> None:
    """Sleep as the main program does, with no event loop at work; a thread waits for real, in its turn."""
    if threading.current_thread() is not threading.main_thread():
        _real_sleep(seconds)
        return
    until_us = turns.now_us + max(0, round(seconds * 1e6))
    ran = True
    while turns.now_us < until_us:
        turns.idle(until_us, ran)
        ran = False
        while not turns.take_go(block=True):
            pass


def _date_files(utc_ns: Callable[[], int]) -> None:
    """A file that is put in its place, or touched, is as old as the simulation says."""
    real_replace, real_utime = os.replace, os.utime

    def utime(path: Any, times: Any = None, *, ns: Any = None, **options: Any) -> None:
        if times is None and ns is None:
            ns = (utc_ns(), utc_ns())
        real_utime(path, **({"times": times} if ns is None else {"ns": ns}), **options)

    def replace(source: Any, target: Any, **options: Any) -> None:
        real_replace(source, target, **options)
        with contextlib.suppress(OSError):
            utime(target)

    os.utime, os.replace = utime, replace  # type: ignore[assignment]
