"""What a store of this program consists of: tables, indexes, views and triggers of its migrations, and nothing else.

A trigger or a view of somebody else in the file runs inside every write: it could mark a delivery as delivered.
"""

import contextlib
import sqlite3
from typing import NamedTuple

from host_agent.store.migrate import migrate, migrations


class Column(NamedTuple):
    """A column of a table: its name and its declared type, such as INTEGER."""

    name: str
    kind: str


class Part(NamedTuple):
    """One entry of a schema. `sql` is None for an index that a constraint makes."""

    kind: str
    name: str
    table: str
    sql: str | None


def make_schema(conn: sqlite3.Connection, version: int, utc_ms: int) -> None:
    """Bring an empty database to this version."""
    migrate(conn, utc_ms, migrations()[:version])


def parts(conn: sqlite3.Connection, database: str = "main") -> list[Part]:
    """Every part of a schema, but SQLite's own."""
    rows = conn.execute(
        f"SELECT type, name, tbl_name, sql FROM {database}.sqlite_master"  # noqa: S608 names of ours
        " WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid"
    )
    return [Part(str(kind), str(name), str(table), sql) for kind, name, table, sql in rows]


def columns(conn: sqlite3.Connection, table: str, database: str = "main") -> list[Column] | None:
    """The columns of a plain table in order; None when there is no such table or it is something else."""
    plain = conn.execute(
        f"SELECT 1 FROM {database}.sqlite_master WHERE type = 'table' AND name = ? AND sql LIKE 'CREATE TABLE%'",  # noqa: S608
        (table,),
    ).fetchone()
    if plain is None:
        return None
    rows = conn.execute(f'PRAGMA {database}.table_xinfo("{table}")').fetchall()
    if any(row[6] for row in rows):  # a column that is computed or hidden
        return None
    return [Column(str(row[1]), str(row[2]).upper()) for row in rows]


def strange_parts(conn: sqlite3.Connection, version: int) -> list[str]:
    """What does not belong into a store of this version, such as `trigger quiet`, or is ours and was changed."""
    known = _known(version)
    return [
        f"{part.kind} {part.name}"
        for part in parts(conn)
        if known.get((part.kind, part.name), "") != _plain(part.sql)
        # a table is compared by its columns elsewhere: SQLite writes a changed one in words of its own
        and not (part.kind == "table" and (part.kind, part.name) in known)
    ]


def missing_parts(conn: sqlite3.Connection, version: int) -> list[str]:
    """What a store of this version should have and this one has not, such as the trigger that guards the chain."""
    there = {(part.kind, part.name) for part in parts(conn)}
    return [f"{kind} {name}" for kind, name in _known(version) if (kind, name) not in there]


def _known(version: int) -> dict[tuple[str, str], str]:
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as own:
        make_schema(own, version, 0)
        return {(part.kind, part.name): _plain(part.sql) for part in parts(own)}


def _plain(sql: str | None) -> str:
    return " ".join((sql or "").split())
