"""Read-only access to the state folder for commands: works while an agent runs, and when none does."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from host_agent.errors import SchemaNewer, StoreError
from host_agent.paths import Paths
from host_agent.store.db import open_read_only, store_errors
from host_agent.store.migrate import migrations, schema_version


@contextmanager
def open_store(paths: Paths) -> Iterator[sqlite3.Connection | None]:
    """One snapshot of the database; None when there is none yet."""
    if not paths.database.exists():
        yield None
        return
    with store_errors(paths.database):
        conn = open_read_only(paths.database)
        try:
            version, newest = schema_version(conn), len(migrations())
            if version > newest:
                raise SchemaNewer(f"{paths.database} has schema {version}, this program knows {newest}")
            if version < newest:
                raise StoreError(
                    f"{paths.database} has schema {version}, this program needs {newest}.",
                    "Start the new agent once: it brings the schema up to date.",
                )
            conn.execute("BEGIN")
            yield conn
        finally:
            conn.close()
