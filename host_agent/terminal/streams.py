"""Standard output and standard error of commands and tools: whatever is printed, a terminal gets text, no commands.

This is the one place where text from wearables, files, servers and the command line itself is cleaned, and where an
encoding that lacks a sign gets a plain one. A stream that was closed before the command began takes everything and
shows nothing.
"""

import contextlib
import errno
import io
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from typing import NoReturn, TextIO

from host_agent.printable import ERRORS, LINE_BREAKS, printable
from host_agent.terminal import exits

END_OF_COLOUR = "\x1b[0m"
_TO_TOP, _CLEAR_LINE, _CLEAR_REST = "\x1b[H", "\x1b[K\n", "\x1b[J"
# the blanks and the label that lead a line: `  battery   ` or `warning  `
_HEAD = re.compile(r" *(?:\S+  +)?")


class CleanStream(io.TextIOBase):
    """A text stream over another one. It has no `buffer`: nothing passes by it."""

    def __init__(self, under: TextIO) -> None:
        super().__init__()
        self._under = under

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """That of the stream below."""
        return self._under.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        """That of the stream below."""
        return self._under.errors

    def write(self, text: str) -> int:
        """Write it without a character that a terminal would obey; SystemExit when it cannot go where it should."""
        with self._reader_may_go():
            self._under.write(printable(text, LINE_BREAKS))
        return len(text)

    def write_in(self, code: str, line: str) -> None:
        """Write a line in the colour that this program's own `code` begins ("": none), cleaned as by `write`."""
        with self._reader_may_go():
            self._under.write(f"{code}{printable(line)}{END_OF_COLOUR if code else ''}\n")

    def redraw(self, lines: Iterable[tuple[str, str]]) -> None:
        """Show lines, each with the code of its colour, in the place of everything that the terminal shows."""
        shown = (
            f"{code}{printable(line)}{END_OF_COLOUR if code else ''}{_CLEAR_LINE}" for code, line in lines
        )
        with self._reader_may_go():
            self._under.write(f"{_TO_TOP}{''.join(shown)}{_CLEAR_REST}")
            self._under.flush()

    def flush(self) -> None:
        """Hand everything to the system; SystemExit as for `write`."""
        with self._reader_may_go():
            self._under.flush()

    @contextlib.contextmanager
    def _reader_may_go(self) -> Iterator[None]:
        """`cytowatch history | head`, or a terminal that was closed: the rest goes nowhere, without a word.

        On a full disk the rest goes nowhere as well, and a word says so.
        """
        try:
            yield
        except OSError as error:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._under.fileno())
            os.close(nowhere)
            if self is not sys.stdout:
                return
            if error.errno in (errno.EPIPE, errno.EIO):
                sys.exit(exits.OUTPUT_CLOSED)
            why = f"The output could not be written ({error.strerror or error})."
            print(why, "Free disk space, or write it elsewhere.", file=sys.stderr)
            sys.exit(exits.FAILED)

    def isatty(self) -> bool:
        """Whether a person looks at it."""
        return self._under.isatty()

    def fileno(self) -> int:
        """Its number in this process."""
        return self._under.fileno()

    def writable(self) -> bool:
        """It is for writing."""
        return True

    def for_programs(self) -> None:
        """What follows is read by a program: UTF-8, unless a person looks at it."""
        if isinstance(self._under, io.TextIOWrapper) and not self.isatty():
            self._under.reconfigure(encoding="utf-8")


@contextlib.contextmanager
def clean_streams() -> Iterator[None]:
    """Clean streams stand in the place of standard output and standard error for this block."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _clean(sys.stdout), _clean(sys.stderr)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def run_clean(main: Callable[[], int | None]) -> NoReturn:
    """Run a tool's `main` on clean streams and end with its exit code."""
    with clean_streams():
        try:
            code = main()
            sys.stdout.flush()
        except KeyboardInterrupt:
            print("stopped", file=sys.stderr)
            code = exits.INTERRUPTED
        sys.exit(code)


def is_utf8(stream: TextIO) -> bool:
    """Whether the stream can show every sign."""
    return (stream.encoding or "").lower().replace("-", "").replace("_", "") in ("utf8", "utf16", "utf32")


def fitted(lines: Iterable[str], stream: TextIO) -> Iterator[str]:
    """The lines as they fit a terminal: broken between words, the rest below the text that it continues.

    A line for a file or a program is left as it is.
    """
    width = shutil.get_terminal_size().columns if stream.isatty() else 0
    for line in lines:
        if len(line) <= width or not width:
            yield line
            continue
        head = _HEAD.match(line)
        indent = len(head.group()) if head and len(head.group()) <= width // 2 else 2
        yield from textwrap.wrap(
            line, max(width, 20), subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False,
            replace_whitespace=False, drop_whitespace=True,
        ) or [line]  # fmt: skip


def _clean(stream: TextIO | None) -> TextIO:
    if stream is None:  # closed by the caller, as in `cytowatch status >&-`
        stream = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 it lives as long as the process
    if isinstance(stream, CleanStream):
        return stream
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors=ERRORS)
    return CleanStream(stream)  # type: ignore[return-value]
