"""The store read by another process: works while an agent runs, and when none does."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from host_agent.errors import SchemaNewer, StoreError
from host_agent.store.db import Tx, open_read_only, store_errors
from host_agent.store.migrate import migrations, schema_version


@contextmanager
def open_snapshot(database: Path) -> Iterator[Tx | None]:
    """One moment of the store, read-only; None when there is no store yet. StoreError says why it cannot be read."""
    if not database.exists():
        yield None
        return
    with store_errors(database):
        conn = open_read_only(database)
        try:
            version, newest = schema_version(conn), len(migrations())
            if version > newest:
                raise SchemaNewer(f"{database} has schema {version}, this program knows {newest}")
            if version < newest:
                raise StoreError(
                    f"{database} has schema {version}, this program needs {newest}.",
                    "Start the new agent once: it brings the schema up to date.",
                )
            conn.execute("BEGIN")
            yield conn
        finally:
            conn.close()
