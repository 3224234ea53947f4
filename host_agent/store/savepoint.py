"""One piece of work of a transaction that may fail alone: what it wrote is undone, and the rest goes on."""

import sqlite3
from collections.abc import Callable

from host_agent.errors import StoreError
from host_agent.store.db import Tx

# what the content of a row can cause; every other error of SQLite is about the file or the disk
_OF_CONTENT = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError, sqlite3.InterfaceError)


def attempt(tx: Tx, work: Callable[[], object]) -> Exception | None:
    """Run `work`; returns what it raised, after undoing its writes. Errors of the store itself are raised."""
    tx.execute("SAVEPOINT attempt")
    try:
        work()
    except StoreError:
        raise
    except Exception as error:
        if isinstance(error, sqlite3.Error) and not isinstance(error, _OF_CONTENT):
            raise
        tx.execute("ROLLBACK TO attempt")
        tx.execute("RELEASE attempt")
        return error
    tx.execute("RELEASE attempt")
    return None
