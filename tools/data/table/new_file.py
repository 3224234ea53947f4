"""Write a file as a whole or not at all: a run that fails never harms what was there."""

import os
import secrets
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from tools.data.table.problems import TableError


@contextmanager
def new_file(path: Path, *sources: Path) -> Iterator[TextIO]:
    """A text file that takes the place of `path` when the block ends well; TableError when it cannot be written.

    `sources` are the files that the run reads: none of them may be the output.
    """
    with _said(path):
        is_input = path.exists() and any(source.exists() and path.samefile(source) for source in sources)
        is_there = path.exists() and not path.is_file()
        target = Path(os.path.realpath(path))
    if is_input:
        raise TableError(f"{path} is the input as well. Name another file for the output")
    if target.is_symlink():
        raise TableError(
            f"{path} cannot be written: it is a link to itself. Name another file for the output"
        )
    if str(path) == "-":
        raise TableError("'-' is no file for the output. Name a file")
    if is_there:
        if path.is_dir():
            raise TableError(f"{path} is a folder. Name a file for the output")
        with _said(path), path.open("w", encoding="utf-8", newline="\n") as out:  # a terminal or a pipe
            yield out
        return
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
    if mode is not None and not (mode & 0o222 and os.access(target, os.W_OK)):
        raise TableError(
            f"{path} is read-only. Name another file, or run: chmod u+w {shlex.quote(str(path))}"
        )
    part = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.part")
    with _said(path, part):
        out = part.open("x", encoding="utf-8", newline="\n")
    try:
        with _said(path, part), out:
            if mode is not None:
                part.chmod(mode)
            yield out
            out.flush()
            os.fsync(out.fileno())
        with _said(path, part):
            part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _said(path: Path, part: Path | None = None) -> Iterator[None]:
    """TableError in the place of an error of the system about `path` or `part`, or about no file by name."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.filename in (None, str(path), str(part)):
            raise TableError(f"{path} cannot be written: {error.strerror or error}") from None
        raise
