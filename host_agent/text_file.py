"""Text files that people make, with any editor on any system: the one reader for all of them.

A byte-order mark, the line ends of Windows, a Ctrl-Z at the end and the encoding UTF-16 change nothing. What no editor
writes as text is refused with a sentence about what to do.
"""

import codecs
import os
import re
import select
import stat
from io import FileIO
from pathlib import Path

from host_agent.errors import ConfigError
from host_agent.plain_file import OtherKindError, open_plain

# Longer marks first: the mark of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


_DOS_END = re.compile("\x1a+\n*\\Z")
_UTF_7 = b"+/v8-"  # the mark of an encoding that looks like UTF-8 and says something else


class TextFileError(ConfigError):
    """A file that is not text, or cannot be read; `why` says it without the path, to follow any name of the file."""

    def __init__(self, source: object, why: str, advice: str) -> None:
        super().__init__(f"{source}: {why}", advice)
        self.why = why


_SAVE_AS = "Open it in an editor and save it as UTF-8 text."
LARGEST_BYTES = 1_000_000
_PIPE_S = 5.0


def read_text_file(
    path: Path,
    *,
    private: bool = False,
    typed: bool = False,
    largest_bytes: int = LARGEST_BYTES,
    advice: str = "Check the path.",
) -> str:
    """The text of the file at `path` with plain line ends; TextFileError says what is wrong and never shows content.

    `private`: the file holds a secret and is refused when other users can read it. `typed`: a person named it just now,
    so that it may be a pipe of the shell. `advice` is for a file that is not there or cannot be opened.
    """
    try:
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK) if typed else open_plain(path)
        with os.fdopen(number, "rb", buffering=0) as file:
            mode = os.fstat(number).st_mode
            data = _read(file, largest_bytes + 1, waits=not stat.S_ISREG(mode))
    except OtherKindError as error:
        raise TextFileError(path, f"{error.strerror}.", f"Move it away. {advice}") from None
    except OSError as error:
        raise TextFileError(path, f"cannot be read ({error.strerror or error}).", advice) from None
    except ValueError:
        raise TextFileError(repr(str(path)), "is not a path: it holds a NUL character.", advice) from None
    if private and os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise TextFileError(path, "can be read by other users.", f"Run: chmod 600 {path}")
    if len(data) > largest_bytes:
        raise TextFileError(path, f"is larger than {largest_bytes} bytes, so it is another file.", advice)
    return decode_text(data, str(path))


def _read(file: FileIO, largest_bytes: int, *, waits: bool) -> bytes:
    """At most so many bytes. `waits`: a pipe, which may have a writer that has not begun, or none at all."""
    data = b""
    while len(data) < largest_bytes:
        if waits and not select.select([file], [], [], _PIPE_S)[0]:
            raise OSError(f"it gave nothing for {_PIPE_S:g} s")
        piece = file.read(largest_bytes - len(data))
        if not piece:
            break
        data += piece
    if waits and not data:
        raise OSError("it gave nothing")
    return data


def decode_text(data: bytes, source: str) -> str:
    """`data` as text without a byte-order mark and with `\\n` as line end; TextFileError names `source`."""
    if data.startswith(_UTF_7):
        raise TextFileError(source, "begins as UTF-7 text.", _SAVE_AS)
    encoding, start = next(
        ((encoding, len(mark)) for mark, encoding in _MARKS if data.startswith(mark)), ("utf-8", 0)
    )
    try:
        text = data[start:].decode(encoding)
    except UnicodeDecodeError as error:
        if encoding == "utf-8":
            why = f"is not UTF-8 text (byte {error.start + start})."
        else:
            why = f"begins as {encoding.upper()} text and is damaged."
        raise TextFileError(source, why, _SAVE_AS) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise TextFileError(
            source, f"holds a NUL character in line {line}, so it is not UTF-8 text.", _SAVE_AS
        )
    # editors and `copy con` of DOS end a text with Ctrl-Z
    return _DOS_END.sub("", text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"))


def first_line(text: str) -> str:
    """What a file with one secret holds: its first line, without the blanks around it."""
    return text.split("\n", 1)[0].strip()
