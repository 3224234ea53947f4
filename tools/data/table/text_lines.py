"""Lines of a text file from anywhere: .gz or plain, UTF-8, UTF-16 or Latin-1, with or without a byte-order mark.

Lines end with LF, CRLF or CR, and with nothing else: U+0085 and U+2028 are part of a cell. A file is read as a stream,
so memory does not grow with it.
"""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO

from tools.data.table.problems import TableError

LINE_MAX = 1_000_000  # characters
TEXT_MAX = 1_000_000  # characters of a file that is read as a whole
_OTHER_FILES = {
    b"PK\x03\x04": "a workbook or a zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF",
    b"\xfd7zXZ": "an .xz archive",
    b"BZh": "a .bz2 archive",
    b"\x28\xb5\x2f\xfd": "a .zst archive",
}


def text_lines(raw: BinaryIO, name: str | Path) -> Iterator[str]:
    """The lines without their ends; TableError names the line that cannot be read."""
    number = 0
    try:
        for number, line in enumerate(_decoded(raw, name), 1):
            if "\x00" in line:
                raise TableError(
                    f"{name}: line {number}: it contains NUL bytes, so the file was not written to its end or is no"
                    " text. Copy the file again, or save it again"
                )
            yield line
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise TableError(
            f"{name}: the .gz file is cut off or damaged after line {number} ({error}). Copy it again"
        ) from None
    except UnicodeDecodeError as error:
        raise TableError(
            f"{name}: the text is damaged after line {number} ({error.reason}). Save it again as CSV in UTF-8"
        ) from None
    except OSError as error:
        raise TableError(f"{name}: cannot be read: {error.strerror or error}") from None


def read_text(path: Path) -> str:
    """A small text file, its line ends as LF; TableError when it cannot be read or is longer than TEXT_MAX."""
    lines, length = [], 0
    with opened(path) as raw:
        for line in text_lines(raw, path):
            length += len(line) + 1
            if length > TEXT_MAX:
                raise TableError(f"{path}: longer than {TEXT_MAX} characters")
            lines.append(line)
    return "\n".join(lines)


def opened(path: Path) -> BinaryIO:
    """The file for reading; TableError says why it cannot be opened."""
    try:
        return path.open("rb")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise TableError(f"{path}: cannot be read: {why}") from None


def _decoded(raw: BinaryIO, name: str | Path) -> Iterator[str]:
    start = _peek(raw)
    stream: IO[bytes] = raw
    if start[:2] == b"\x1f\x8b":
        stream = io.BufferedReader(gzip.GzipFile(fileobj=raw))  # type: ignore[arg-type]
        start = _peek(stream)
    for magic, kind in _OTHER_FILES.items():
        if start.startswith(magic):
            raise TableError(f"{name}: this is {kind}. Save the table as CSV and give that file")
    wide = _wide_encoding(start)
    # Without UTF-16, Latin-1 carries the bytes of a line unchanged to where they are decoded, line by line.
    text = io.TextIOWrapper(stream, encoding=wide or "latin-1", errors="strict", newline=None)
    try:
        number = 0
        while line := text.readline(LINE_MAX + 1):
            number += 1
            if len(line) > LINE_MAX:
                why = f"line {number} is longer than {LINE_MAX} characters. Is it a table?"
                raise TableError(f"{name}: {why}")
            line = line.removesuffix("\n")
            yield line if wide else _narrow(line, number)
    finally:
        # The caller closes the file: standard input stays open.
        if not text.closed:
            text.detach()


def _peek(stream: IO[bytes]) -> bytes:
    return stream.peek(4)[:512] if isinstance(stream, io.BufferedReader) else b""


def _wide_encoding(start: bytes) -> str | None:
    """UTF-32 or UTF-16 by its mark, UTF-16 also by the zero in every second byte; else None."""
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    first, second = start[0:16:2], start[1:16:2]
    if len(second) < 4:
        return None
    if not any(second) and all(first):
        return "utf-16-le"
    return "utf-16-be" if not any(first) and all(second) else None


def _narrow(line: str, number: int) -> str:
    if line.isascii():
        return line
    coded = line.encode("latin-1")
    if number == 1:
        coded = coded.removeprefix(codecs.BOM_UTF8)
    try:
        return coded.decode("utf-8")
    except UnicodeDecodeError:
        return line
