"""The database: WAL, synchronous=FULL, one writer thread, readers on connections of their own.

Every write is a function given to `write`: it runs in the writer thread inside one transaction, and when `write`
returns, its effect is on disk. When it raises, nothing of it is.
"""

import asyncio
import errno
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from host_agent.clock import Clock, RealClock
from host_agent.errors import (
    HostAgentError,
    SchemaNewer,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreLocked,
    StoreReadOnly,
)
from host_agent.plain_file import other_kind
from host_agent.store.migrate import migrate

T = TypeVar("T")
DatabaseError = sqlite3.Error  # what a read outside `Store` raises when the file or the disk fails
Tx = sqlite3.Connection  # inside a function given to `write` or `read`

FILE_ENDS = ("", "-wal", "-shm", "-journal")  # the store itself, and what SQLite keeps beside it
_BUSY_TIMEOUT_MS = 5000  # a command may write while the agent runs; its transactions are short
_READERS = 2
_DISK_TAKES_NOTHING = (
    sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY
)  # fmt: skip


class Store:
    """One open database. `await store.write(fn)` and `await store.read(fn)`; `*_now` block, for commands and tests."""

    def __init__(self, path: Path, clock: Clock | None = None, *, waits: bool = False) -> None:
        """Open or create `path` and bring its schema up to date; StoreError when that fails.

        `waits`: a disk that does not let it open is no error now. Each write tries again, and fails until it opens.
        """
        self.path = path
        self.clock: Clock = clock or RealClock()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="store-reader")
        self._read_conns: list[sqlite3.Connection] = []
        self._conn: sqlite3.Connection | None = None
        self._opens_later = waits
        try:
            self._writer.submit(self._open).result()
        except BaseException as error:
            if waits and isinstance(error, StoreError) and not isinstance(error, SchemaNewer):
                return
            self.close()
            raise

    @property
    def is_open(self) -> bool:
        """Whether the database was opened for writing. False only after `waits`, or when it is closed."""
        return self._conn is not None

    async def write(self, fn: Callable[[Tx], T]) -> T:
        """Run `fn(tx)` in one transaction; on return it is committed with FULL durability. StoreError otherwise.

        Cancelling the caller does not undo it: the transaction ends by itself, whole or not at all.
        """
        return await self._on(self._writer, self._transact, fn)

    async def read(self, fn: Callable[[Tx], T]) -> T:
        """Run `fn(tx)` on a read-only connection in one snapshot."""
        return await self._on(self._readers, self._snapshot, fn)

    async def _on(
        self, pool: ThreadPoolExecutor, run: Callable[[Callable[[Tx], T]], T], fn: Callable[[Tx], T]
    ) -> T:
        try:
            task = asyncio.get_running_loop().run_in_executor(pool, run, fn)
        except RuntimeError as error:  # the pool was shut down
            raise StoreError(f"the store is closed: {error}") from error
        return await task

    def write_now(self, fn: Callable[[Tx], T]) -> T:
        """Like `write`, blocking: for commands that run without an event loop."""
        return self._writer.submit(self._transact, fn).result()

    def read_now(self, fn: Callable[[Tx], T]) -> T:
        """Like `read`, blocking."""
        return self._readers.submit(self._snapshot, fn).result()

    def close(self) -> None:
        """Finish the write in progress and close; safe to call twice."""
        self._opens_later = False
        self._writer.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        for conn in [*self._read_conns, *([self._conn] if self._conn else [])]:
            conn.close()
        self._read_conns.clear()
        self._conn = None

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> None:
        with file_errors(self.path), store_errors(self.path):
            check_files(self.path)
            conn = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            try:
                conn.text_factory = _text
                conn.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
                conn.execute("PRAGMA journal_mode = WAL")
                conn.execute("PRAGMA synchronous = FULL")
                conn.execute("PRAGMA foreign_keys = ON")
                migrate(conn, self.clock.utc_ms())
                # what SQLite could open only for reading stays so, also when the disk is mounted for writing again
                conn.execute("BEGIN IMMEDIATE")
                conn.execute("ROLLBACK")
                self.path.chmod(0o600)
            except BaseException:
                conn.close()
                raise
            self._conn = conn

    def _transact(self, fn: Callable[[Tx], T]) -> T:
        if self._conn is None and self._opens_later:
            self._open()
        conn = self._conn
        if conn is None:
            raise StoreError("the store is closed")
        with store_errors(self.path):
            conn.execute("BEGIN IMMEDIATE")
            try:
                result = fn(conn)
                conn.execute("COMMIT")
            except BaseException:
                if conn.in_transaction:  # SQLite itself rolls back on some errors, e.g. a full disk
                    conn.execute("ROLLBACK")
                raise
        return result

    def _snapshot(self, fn: Callable[[Tx], T]) -> T:
        with store_errors(self.path):
            try:
                conn = self._read_conns.pop()
            except IndexError:
                conn = open_read_only(self.path)
            try:
                conn.execute("BEGIN")
                return fn(conn)
            finally:
                if conn.in_transaction:
                    conn.execute("ROLLBACK")
                if self._conn is None:  # it may be one of a store that nobody writes, see `open_read_only`
                    conn.close()
                else:
                    self._read_conns.append(conn)


def open_read_only(path: Path) -> sqlite3.Connection:
    """A connection that cannot write, for readers in this process or another.

    SQLite needs a file of shared memory beside a store also to read it. Where the disk takes none, nobody can be
    writing: a store that was closed is then read as it is. Close such a connection soon.
    """
    is_shareable = not other_kind(path.with_name(f"{path.name}-shm"))
    check_files(path, FILE_ENDS if not _was_closed(path) else [end for end in FILE_ENDS if end != "-shm"])
    conn = _connect_read_only(path, "" if is_shareable else "&immutable=1")
    try:
        conn.execute("PRAGMA schema_version")
    except sqlite3.OperationalError as error:
        conn.close()
        if error.sqlite_errorcode & 0xFF not in _DISK_TAKES_NOTHING or not _was_closed(path):
            raise
        return _connect_read_only(path, "&immutable=1")
    except BaseException:
        conn.close()
        raise
    return conn


def check_files(path: Path, ends: Iterable[str] = FILE_ENDS) -> None:
    """StoreReadOnly when the store, or what SQLite keeps beside it, is no file: SQLite may wait for such a one."""
    for end in ends:
        file = path.with_name(path.name + end)
        if why := other_kind(file):
            raise StoreReadOnly(
                f"{file} {why}.", "Another program made it: move it away. A link needs its disk."
            )


def _text(data: bytes) -> str:
    """A text of a row; a damaged one is a text too, and its row harms no other."""
    return data.decode(errors="replace")


def _was_closed(path: Path) -> bool:
    """Whether all of the store is in its own file: nothing waits in the log beside it."""
    log = path.with_name(f"{path.name}-wal")
    return path.exists() and (not log.exists() or log.stat().st_size == 0)


def _connect_read_only(path: Path, how: str = "") -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=ro{how}"
    conn = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    conn.text_factory = _text
    conn.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
    conn.execute("PRAGMA query_only = ON")
    conn.execute("PRAGMA trusted_schema = OFF")  # what a file brings along calls nothing outside it
    return conn


def integrity_problems(tx: Tx) -> list[str]:
    """The problems that SQLite's own check finds; none in a sound file. Reads the whole database."""
    try:
        rows = [str(row[0]) for row in tx.execute("PRAGMA integrity_check(20)")]
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise
        return [str(error)]
    return [] if rows == ["ok"] else rows


_BY_CODE: dict[int, tuple[type[StoreError], str]] = {
    sqlite3.SQLITE_FULL: (StoreFull, "the disk is full"),
    sqlite3.SQLITE_READONLY: (StoreReadOnly, "the database is read-only"),
    sqlite3.SQLITE_CANTOPEN: (StoreReadOnly, "the database cannot be opened or created"),
    sqlite3.SQLITE_PERM: (StoreReadOnly, "the database may not be written"),
    sqlite3.SQLITE_BUSY: (StoreLocked, "another program is writing the database"),
    sqlite3.SQLITE_LOCKED: (StoreLocked, "another connection is writing the database"),
    sqlite3.SQLITE_CORRUPT: (StoreCorrupt, "the database is damaged"),
    sqlite3.SQLITE_NOTADB: (StoreCorrupt, "the file is not a database"),
    sqlite3.SQLITE_IOERR: (StoreError, "the disk answered with an error"),
}


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """Turn errors of SQLite into a StoreError with advice; other errors pass.

    What a caller does in between may fail in its own ways: a pipe that closes is no error of the database.
    """
    try:
        yield
    except HostAgentError:
        raise
    except sqlite3.IntegrityError as error:
        raise StoreError(f"{path}: a row breaks the schema: {error}", "This is a bug: report it.") from error
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        kind, text = _BY_CODE.get(code, (StoreError, "the database failed"))
        raise kind(f"{path}: {text} ({error})") from error


@contextmanager
def file_errors(path: Path, advice: str | None = None) -> Iterator[None]:
    """Turn errors of the disk at a database's own files into a StoreError with advice."""
    try:
        yield
    except OSError as error:
        kind = StoreFull if error.errno in (errno.ENOSPC, errno.EDQUOT) else StoreReadOnly
        raise kind(f"{path}: {error.strerror}.", advice) from error
