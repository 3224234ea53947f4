"""One whole copy of the store to a file while the agent runs, and back. Keys are not in the store, so not in the copy.

A copy counts only once it is complete and on disk: it is made under another name and renamed last. Restoring keeps the
database that was there beside it.
"""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from host_agent.errors import SchemaNewer, StoreCorrupt, StoreError
from host_agent.plain_file import kind_of, other_kind, read_plain
from host_agent.store.db import FILE_ENDS, Tx, check_files, file_errors, open_read_only, store_errors
from host_agent.store.migrate import migrate, migrations, schema_version
from host_agent.store.row_copy import Progress, copy_rows
from host_agent.store.schema import strange_parts

_PAGES_PER_STEP = 2048
_OTHER_PLACE = "Check that the folder is there, that you may write in it, and that its disk has space."


def back_up(database: Path, target: Path, on_progress: Progress = lambda done, total: None) -> int:
    """Copy one moment of `database` to the new file `target` (0600) and return its bytes.

    A writer in another process is not delayed, and none of its transactions is copied in part. After a StoreError
    there is no file of that name.
    """
    if not kind_of(database):
        raise StoreError(f"{database}: there is no store yet.", "Start the agent once: `cytowatch run`.")
    if target.exists():
        raise StoreError(f"{target} exists.", "Give another name: a backup replaces no file.")
    _whole(database, target, lambda partial: _copy_pages(database, partial, on_progress))
    return target.stat().st_size


def restore(
    backup: Path,
    database: Path,
    utc_ms: int,
    on_progress: Progress = lambda done, total: None,
    sign: Callable[[Path], None] = lambda fresh: None,
) -> Path | None:
    """Put `backup` in the place of `database`; returns where the database that was there is now, None if none was.

    Nobody may have `database` open. Until the last rename the old one stays, or lies whole under its new name. Only
    rows come from the backup: the schema is made anew, so that no trigger or view of somebody gets into the store.
    `sign` writes into the fresh store before anything moves: when it fails, nothing is restored. What it leaves in the
    folder of the fresh store moves with it.
    """
    version = check_backup(backup)
    room = database.with_name(database.name + ".restoring")
    with file_errors(room, _OTHER_PLACE):
        _remove(room)
        room.mkdir(mode=0o700)
    try:
        fresh = room / database.name
        _whole(backup, fresh, lambda partial: copy_rows(backup, partial, version, utc_ms, on_progress))
        sign(fresh)
        _into_one_file(fresh)
        return _swap(fresh, database, utc_ms)
    finally:
        with contextlib.suppress(OSError):
            _remove(room)


def _into_one_file(database: Path) -> None:
    """Bring what was written last out of the log beside it; StoreFull when the disk has no room for it."""
    with store_errors(database), contextlib.closing(sqlite3.connect(database)) as conn:
        (how,) = conn.execute("PRAGMA journal_mode = DELETE").fetchone()
    if how != "delete":
        raise StoreError(f"{database}: its log cannot be written back.", _OTHER_PLACE)


def _swap(fresh: Path, database: Path, utc_ms: int) -> Path | None:
    kept = database.with_name(f"{database.name}.before-{utc_ms}") if kind_of(database) else None
    _write_back_log(database)
    for side in FILE_ENDS:  # SQLite would use a log that stays behind for the new file
        there = database.with_name(database.name + side)
        if kind_of(there):
            there.rename(database.with_name(f"{database.name}.before-{utc_ms}{side}"))
    fresh.rename(database)
    for beside in fresh.parent.iterdir():
        beside.replace(database.with_name(beside.name))
    _sync_folder(database.parent)
    return kept


def _remove(room: Path) -> None:
    """What an earlier restore left behind, which may have been a file."""
    if room.is_dir() and not room.is_symlink():
        shutil.rmtree(room)
    else:
        room.unlink(missing_ok=True)


def _write_back_log(database: Path) -> None:
    """Bring what a killed agent left in the log into the file: a cut between two renames must not part them."""
    with contextlib.suppress(OSError, sqlite3.Error, StoreError):
        check_files(database)
        if read_plain(database, 16) == b"SQLite format 3\0":  # SQLite deletes the log of what is no database
            with contextlib.closing(sqlite3.connect(database)) as conn:
                conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def check_backup(path: Path) -> int:
    """The schema version of a file that can be restored; StoreError says why it cannot."""
    if not path.is_file():
        strange = other_kind(path).removesuffix(", not a file")
        why = f" {strange}" if strange else ": there is no such file"
        raise StoreError(f"{path}{why}.", "Give the file that `cytowatch backup` wrote.")
    with _errors_of_backup(path), contextlib.closing(open_read_only(path)) as conn:
        version, newest = schema_version(conn), len(migrations())
        tables = {row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if version == 0 or not {"blocks", "journals", "migrations"} <= tables:
            raise StoreCorrupt(f"{path} is a database, but no store of this program.", "Give another file.")
        if version > newest:
            raise SchemaNewer(f"{path} has schema {version}, this program knows {newest}")
        problems = [str(row[0]) for row in conn.execute("PRAGMA integrity_check(1)")]
        if problems != ["ok"]:
            raise StoreCorrupt(f"{path} is damaged: {problems[0]}.", "Give an older backup.")
    return version


@contextlib.contextmanager
def _errors_of_backup(path: Path) -> Iterator[None]:
    """As `store_errors`, with what to do about a backup: the store itself may be sound."""
    try:
        with store_errors(path):
            yield
    except StoreError as error:
        if error.advice != error.default_advice or isinstance(error, SchemaNewer):
            raise
        raise type(error)(str(error), "Give an older backup.") from error


def left_behind(path: Path) -> list[str]:
    """What of a backup's schema a restore leaves out, such as `trigger quiet`: it is no part of this program."""
    with store_errors(path), contextlib.closing(open_read_only(path)) as conn:
        return strange_parts(conn, schema_version(conn))


@contextlib.contextmanager
def reading(path: Path) -> Iterator[Tx]:
    """A backup of any schema that can be restored, as the newest schema shows it; the file is left as it is."""
    is_old = check_backup(path) < len(migrations())
    with store_errors(path), contextlib.closing(open_read_only(path)) as conn:
        if not is_old:
            yield conn
            return
        with contextlib.closing(sqlite3.connect("", isolation_level=None)) as copy:  # a file that nobody sees
            conn.backup(copy)
            migrate(copy, 0)
            yield copy


def _whole(source: Path, target: Path, copy_to: Callable[[Path], None]) -> None:
    """Let `copy_to` fill a private file, and give it the name `target` once it is complete and on disk."""
    partial = target.with_name(target.name + ".partial")
    try:
        with file_errors(target, _OTHER_PLACE), store_errors(source):
            partial.unlink(missing_ok=True)
            os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            copy_to(partial)
            with partial.open("rb") as file:
                os.fsync(file.fileno())
        if target.exists():  # made meanwhile
            raise StoreError(f"{target} exists.", "Give another name.")
        partial.rename(target)
        _sync_folder(target.parent)
    finally:
        partial.unlink(missing_ok=True)


def _copy_pages(source: Path, partial: Path, on_progress: Progress) -> None:
    with (
        contextlib.closing(open_read_only(source)) as conn,
        contextlib.closing(sqlite3.connect(partial)) as copy,
    ):
        conn.execute("BEGIN")
        # the first read fixes the moment that is copied, whatever others write later
        conn.execute("SELECT count(*) FROM sqlite_master").fetchone()

        def report(_status: int, remaining: int, total: int) -> None:
            on_progress(total - remaining, total)

        conn.backup(copy, pages=_PAGES_PER_STEP, progress=report, sleep=0)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
