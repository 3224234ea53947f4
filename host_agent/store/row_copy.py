"""Copies the rows of a backup into a fresh store: its schema stays behind, with whatever somebody put into it."""

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

from host_agent.errors import StoreCorrupt
from host_agent.store.schema import columns, make_schema, parts

Progress = Callable[[int, int], None]  # tables done, tables in all
_TYPES = {"INTEGER": "'integer'", "TEXT": "'text'", "BLOB": "'blob'", "REAL": "'real', 'integer'"}
_ADVICE = "Give an older backup."


def copy_rows(backup: Path, fresh: Path, version: int, utc_ms: int, on_progress: Progress) -> None:
    """Make a store of this schema `version` in the empty file `fresh` and fill it from `backup`.

    StoreCorrupt when a table of the backup is missing or another one, or when a row is not what its table says.
    """
    conn = sqlite3.connect(fresh, isolation_level=None, uri=True)
    with contextlib.closing(conn):
        conn.execute("PRAGMA trusted_schema = OFF")
        conn.execute("PRAGMA journal_mode = DELETE")
        make_schema(conn, version, utc_ms)
        conn.execute("PRAGMA foreign_keys = OFF")
        conn.execute("ATTACH ? AS backup", (f"{backup.absolute().as_uri()}?mode=ro",))
        made = parts(conn)
        tables = [part.name for part in made if part.kind == "table" and part.name != "migrations"]
        triggers = [part for part in made if part.kind == "trigger"]
        conn.execute("BEGIN")
        for part in triggers:  # they guard later writes, not a copy
            conn.execute(f'DROP TRIGGER "{part.name}"')
        try:
            for done, table in enumerate(tables):
                on_progress(done, len(tables))
                _copy_table(conn, table)
        except sqlite3.IntegrityError as error:
            raise StoreCorrupt(f"{backup}: a row breaks a rule of the store: {error}.", _ADVICE) from error
        except sqlite3.OperationalError as error:
            if "decode" not in str(error):
                raise
            raise StoreCorrupt(f"{backup}: a text in it is not UTF-8.", _ADVICE) from error
        for part in triggers:
            conn.execute(str(part.sql))
        conn.execute("COMMIT")
        conn.execute("DETACH backup")


def _copy_table(conn: sqlite3.Connection, table: str) -> None:
    own, given = columns(conn, table), columns(conn, table, "backup")
    assert own is not None
    if given is None or sorted(given) != sorted(own):
        raise StoreCorrupt(f"The table {table} of the backup is not a table of this program.", _ADVICE)
    wrong = " OR ".join(
        f"typeof(\"{one.name}\") NOT IN ('null', {_TYPES[one.kind]})" for one in own if one.kind in _TYPES
    )
    found = conn.execute(f'SELECT count(*) FROM backup."{table}" WHERE {wrong}').fetchone()[0]  # noqa: S608 names of ours
    if found:
        raise StoreCorrupt(
            f"{found} rows of the table {table} in the backup hold values of another kind.", _ADVICE
        )
    if texts := ", ".join(f'"{one.name}"' for one in own if one.kind == "TEXT"):
        for _ in conn.execute(f'SELECT {texts} FROM backup."{table}"'):  # noqa: S608 decoding refuses what is no text
            pass
    names = ", ".join(f'"{one.name}"' for one in own)
    conn.execute(f'INSERT INTO main."{table}" ({names}) SELECT {names} FROM backup."{table}"')  # noqa: S608
