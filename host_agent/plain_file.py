"""Files that must be files: a pipe, a device, a socket or a folder in the place of one is named and never waited for.

Anybody who may write in a folder can put such a thing there, and to open a pipe may wait for ever.
"""

import errno
import os
import stat
from pathlib import Path

FILE, FOLDER, SOCKET = "a file", "a folder", "a socket"
LARGEST_BYTES = 1_000_000
_KINDS = (
    (stat.S_ISREG, FILE),
    (stat.S_ISDIR, FOLDER),
    (stat.S_ISSOCK, SOCKET),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class OtherKindError(OSError):
    """Something else stands in the place of a file; `strerror` says what, to follow the path."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(errno.EINVAL, why, str(path))


def kind_of(path: Path) -> str:
    """What is there, with its article; "" when nothing is there or this user cannot look."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return "a link to something that does not exist" if path.is_symlink() else ""
    return next((kind for is_kind, kind in _KINDS if is_kind(mode)), "something unknown")


def other_kind(path: Path, expected: str = FILE) -> str:
    """`is a pipe, not a file` when something else than `expected` is there; "" when it is that, or nothing is there."""
    kind = kind_of(path)
    return f"is {kind}, not {expected}" if kind not in ("", expected) else ""


def open_plain(path: Path, flags: int = os.O_RDONLY, mode: int = 0o600) -> int:
    """`os.open` of a file; OtherKindError for anything else, OSError as of `os.open`. It never waits."""
    if why := other_kind(path):
        raise OtherKindError(path, why)
    number = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, mode)
    try:
        if not stat.S_ISREG(os.fstat(number).st_mode):  # it was put there just now
            raise OtherKindError(path, f"is not {FILE}")
    except BaseException:
        os.close(number)
        raise
    return number


def read_plain(path: Path, largest_bytes: int = LARGEST_BYTES) -> bytes:
    """At most so many bytes of a file; errors as of `open_plain`."""
    with os.fdopen(open_plain(path), "rb") as file:
        return file.read(largest_bytes)
