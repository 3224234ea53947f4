"""An empty store in memory, for questions that must be answered while the real one does not answer."""

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from host_agent.errors import StoreError
from host_agent.store.db import Store, Tx
from host_agent.store.migrate import migrate

T = TypeVar("T")


async def read_or_empty(store: Store, fn: Callable[[Tx], T]) -> T:
    """`store.read(fn)`; when that fails, `fn` on a store that knows nothing."""
    try:
        return await store.read(fn)
    except StoreError:
        blank = sqlite3.connect(":memory:", isolation_level=None)
        try:
            migrate(blank, 0)
            return fn(blank)
        finally:
            blank.close()
