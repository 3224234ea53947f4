"""The head of the audit chain in a file of its own, audit.head beside the store: written after each signature.

A chain that does not reach this far any more was cut, replaced or restored. Whoever may write the store may write this
file too; the heads that receivers got and the entries that wearables journaled are out of reach here.
"""

import contextlib
import json
import logging
import os
from pathlib import Path

from host_agent.errors import HostAgentError
from host_agent.plain_file import OtherKindError, open_plain, read_plain
from host_agent.store.audit import Head

_LOG = logging.getLogger(__name__)


class HeadNoteError(HostAgentError):
    """The note is there and cannot be read."""

    code = "audit_head"
    default_advice = "Run `cytowatch audit verify`. Restore the file, or a backup of the state folder."


def path_of(database: Path) -> Path:
    """The note that belongs to this store."""
    return database.with_name("audit.head")


def write(database: Path, head: Head) -> None:
    """Note this head. A disk that takes nothing leaves the earlier note, which the chain still contains."""
    path = path_of(database)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        fresh.unlink(missing_ok=True)
        with os.fdopen(open_plain(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "w") as file:
            json.dump({"rows": head.seq, "hash": head.hash.hex()}, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        _LOG.warning("the head of the audit chain could not be noted in %s: %s", path, error.strerror)
        with contextlib.suppress(OSError):
            fresh.unlink()


def bring(database: Path, other: Path) -> None:
    """Put the note of one store beside another one; HeadNoteError when it cannot be."""
    try:
        note = read_plain(path_of(database))
        with os.fdopen(open_plain(path_of(other), os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
            file.write(note)
    except FileNotFoundError:
        return
    except OSError as error:
        raise HeadNoteError(f"{path_of(database)} cannot be copied ({error.strerror}).") from None


def read(database: Path) -> Head | None:
    """The head noted last; None when none ever was. HeadNoteError when the note cannot be read."""
    path = path_of(database)
    try:
        tree = json.loads(read_plain(path))
        noted = Head(tree["rows"], bytes.fromhex(tree["hash"]))
    except FileNotFoundError:
        return None
    except OtherKindError as error:
        raise HeadNoteError(f"{path} {error.strerror}.", "Another program made it: move it away.") from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise HeadNoteError(f"{path} does not hold the head of an audit chain.") from None
    if type(noted.seq) is not int or noted.seq < 1 or len(noted.hash) != 32:
        raise HeadNoteError(f"{path} does not hold the head of an audit chain.")
    return noted
