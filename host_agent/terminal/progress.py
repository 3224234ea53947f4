"""Progress of long work, on standard error."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from host_agent.terminal.output import say

_TELL_EVERY_S = 2.0


def progress(did: str, what: str) -> Callable[[int, int], None]:
    """Progress on stderr, not more often than every two seconds."""
    next_s = time.monotonic() + _TELL_EVERY_S

    def tell(done: int, total: int) -> None:
        nonlocal next_s
        if time.monotonic() >= next_s:
            next_s = time.monotonic() + _TELL_EVERY_S
            say(f"{did} {done:,} of {total:,} {what}")

    return tell


@contextmanager
def working(what: Callable[[], str], first_s: float = _TELL_EVERY_S) -> Iterator[None]:
    """For work whose length nobody knows: say `what()` after `first_s`, then each time twice as long later."""
    over = threading.Event()

    def tell() -> None:
        wait_s = first_s
        while not over.wait(wait_s):
            say(f"{what()} ...")
            wait_s *= 2

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()
