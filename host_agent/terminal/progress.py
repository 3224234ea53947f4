"""Progress of long work, on standard error."""

import sys
import time
from collections.abc import Callable

_TELL_EVERY_S = 2.0


def progress(did: str, what: str) -> Callable[[int, int], None]:
    """Progress on stderr, not more often than every two seconds."""
    next_s = time.monotonic() + _TELL_EVERY_S

    def tell(done: int, total: int) -> None:
        nonlocal next_s
        if time.monotonic() >= next_s:
            next_s = time.monotonic() + _TELL_EVERY_S
            print(f"{did} {done:,} of {total:,} {what}", file=sys.stderr)

    return tell
