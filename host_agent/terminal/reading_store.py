"""Read-only access to the state folder for commands."""

from contextlib import AbstractContextManager

from host_agent.paths import Paths
from host_agent.store.db import Tx
from host_agent.store.snapshot import open_snapshot


def open_store(paths: Paths) -> AbstractContextManager[Tx | None]:
    """One moment of the store of this state folder; None when there is none yet."""
    return open_snapshot(paths.database)
