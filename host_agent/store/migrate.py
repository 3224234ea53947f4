"""Numbered migrations: each .sql file runs in one transaction together with its own record; forward only."""

import re
import sqlite3
from collections.abc import Iterator
from importlib import resources
from typing import NamedTuple

from host_agent.errors import SchemaNewer, StoreError

_NAME = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")


class Migration(NamedTuple):
    """One step of the schema; `version` is the number its file name starts with."""

    version: int
    name: str
    sql: str


def migrations() -> list[Migration]:
    """Every shipped migration in order; the numbers must run 1, 2, 3 without a hole."""
    found = []
    for entry in (resources.files("host_agent.store") / "migrations").iterdir():
        match = _NAME.match(entry.name)
        if match:
            found.append(Migration(int(match.group(1)), entry.name, entry.read_text(encoding="utf-8")))
    found.sort()
    if [step.version for step in found] != list(range(1, len(found) + 1)):
        raise StoreError(f"migrations are not numbered 1..{len(found)}: {[step.name for step in found]}")
    return found


def migrate(conn: sqlite3.Connection, utc_ms: int, steps: list[Migration] | None = None) -> int:
    """Bring `conn` (autocommit mode) to the newest schema and return its version; SchemaNewer leaves it untouched."""
    steps = migrations() if steps is None else steps
    version = schema_version(conn)
    newest = steps[-1].version if steps else 0
    if version > newest:
        raise SchemaNewer(f"the database has schema {version}, this program knows {newest}")
    for step in steps:
        if step.version > version:
            _apply(conn, step, utc_ms)
    return newest


def schema_version(conn: sqlite3.Connection) -> int:
    """The version in the file: 0 is an empty one."""
    return int(conn.execute("PRAGMA user_version").fetchone()[0])


def _apply(conn: sqlite3.Connection, step: Migration, utc_ms: int) -> None:
    conn.execute("BEGIN IMMEDIATE")
    try:
        if schema_version(conn) >= step.version:  # another process was faster
            conn.execute("ROLLBACK")
            return
        conn.execute(
            "CREATE TABLE IF NOT EXISTS migrations"
            " (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_utc_ms INTEGER NOT NULL)"
        )
        for statement in _statements(step.sql):
            conn.execute(statement)
        conn.execute("INSERT INTO migrations VALUES (?, ?, ?)", (step.version, step.name, utc_ms))
        conn.execute(f"PRAGMA user_version = {step.version:d}")
        conn.execute("COMMIT")
    except BaseException:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        raise


def _statements(sql: str) -> Iterator[str]:
    """Split a script: executescript would commit the transaction that is open."""
    pending = ""
    for line in sql.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if pending.strip():
        raise StoreError("a migration ends in the middle of a statement")
