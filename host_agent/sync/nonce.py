"""Random bytes for a nonce, mixed with what is another each time: a copied machine repeats its random numbers."""

import itertools
import os
import time
from collections.abc import Callable

from crs_core.wire import hello

_DRAWN = itertools.count(1)


def mixed(random_bytes: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """A source of at most 16 bytes that does not repeat even where `random_bytes` does."""

    def draw(count: int) -> bytes:
        told = (os.getpid(), next(_DRAWN), time.time_ns(), time.monotonic_ns())
        return bytes(hello.nonce(random_bytes(hello.NONCE_BYTES), *told)[:count])

    return draw
