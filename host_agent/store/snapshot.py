"""The store read by another process: works while an agent runs, and when none does."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from host_agent.errors import SchemaNewer
from host_agent.plain_file import kind_of
from host_agent.store.db import Tx, open_read_only, store_errors
from host_agent.store.migrate import migrate, migrations, schema_version


@contextmanager
def open_snapshot(database: Path) -> Iterator[Tx | None]:
    """One moment of the store, read-only; None when there is no store yet. StoreError says why it cannot be read."""
    if not kind_of(database):
        yield None
        return
    with store_errors(database):
        conn = open_read_only(database)
        try:
            version, newest = schema_version(conn), len(migrations())
            if version > newest:
                raise SchemaNewer(f"{database} has schema {version}, this program knows {newest}")
            if version < newest:
                conn = _brought_up_to_date(conn)
            conn.execute("BEGIN")
            yield conn
        finally:
            conn.close()


def _brought_up_to_date(old: Tx) -> Tx:
    """A temporary copy with the newest schema: an older store can be read before the new agent was ever started."""
    copy = sqlite3.connect("", isolation_level=None)
    try:
        old.backup(copy)
        migrate(copy, 0)
    except BaseException:
        copy.close()
        raise
    finally:
        old.close()
    return copy
