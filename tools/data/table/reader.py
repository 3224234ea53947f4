"""Rows of a table as people bring it: separators, quotes, comments and blank rows are understood here, once.

The first row that is no comment names the columns. The separator is the one that this row uses most: tab, semicolon,
comma or `|`; Excel's `sep=;` decides before that. A line that begins with # is a comment.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from tools.data.table.header import plain
from tools.data.table.numbers import Numbers
from tools.data.table.problems import Problems, TableError, quoted
from tools.data.table.text_lines import text_lines

SEPARATORS = "\t;,|"
CELL_LINES_MAX = 20  # lines that one row may take with line breaks in quotes
BLANK_MAX = 1_000_000  # lines in a row
COMMENTS_MAX = 1000
COMMENT_MAX = 200  # characters that are kept


class Table:
    """One table, read once from `raw`; `name` stands in every message.

    `header` holds the names as written, `names` the same made plain, `line` the line of the last row. TableError: the
    file cannot be read further. Rows that are too short or too long are noted in `problems` and not given.
    """

    def __init__(self, raw: BinaryIO, name: str | Path) -> None:
        self.name = name
        self.problems = Problems(name)
        self.numbers = Numbers()
        self.comments: list[str] = []
        self.line = 0
        self._read = 0  # lines
        self._between = True  # the next line begins a row
        self._lines = self._without_comments(text_lines(raw, name))
        self._separator = ","
        self._rows = self._parsed()
        self.header = self._header()
        self.names = [plain(cell) for cell in self.header]
        self.header_line = self.line

    def find(self, *names: str, needed: bool = True) -> int | None:
        """Place of the column with one of these names; TableError when there are two, or none and it is needed."""
        found = [place for place, name in enumerate(self.names) if name in names]
        if len(found) > 1:
            columns = ", ".join(quoted(self.header[place]) for place in found)
            why = f"{len(found)} columns are called {names[0]!r}: {columns}. Keep one of them"
            raise TableError(f"{self.name}: line {self.header_line}: {why}")
        if not found and needed:
            raise TableError(f"{self.name}: line {self.header_line}: {self.missing(names[0])}")
        return found[0] if found else None

    def missing(self, name: str) -> str:
        """Say that there is no such column, and which there are."""
        shown = [cell[:40] for cell in self.header[:10]]
        there = ", ".join(repr(cell)[1:-1] for cell in shown) + (", ..." if len(self.header) > 10 else "")
        if all(cell.replace(".", "", 1).lstrip("-").isdigit() for cell in self.header):
            return f"no column {name!r}; the first line must name the columns, but it is: {there}"
        return f"no column {name!r}; there are: {there}"

    def rows(self, blank: bool = False) -> Iterator[list[str]]:
        """The cells of each row, without blanks around them; with `blank`, an empty line is a row without cells."""
        width = len(self.header)
        for cells in self._rows:
            if not cells:
                if blank:
                    yield cells
                continue
            if len(cells) > width:
                while len(cells) > width and not cells[-1]:
                    cells.pop()
            if len(cells) != width:
                self.problems.add(f"line {self.line}: {self._wrong_width(cells)}")
                continue
            yield cells

    def _wrong_width(self, cells: Sequence[str]) -> str:
        why = f"{len(cells)} columns, the header has {len(self.header)}"
        if self._separator == "," and len(cells) > len(self.header):
            why += ". With decimal commas, separate the columns with semicolons"
        return why

    def _header(self) -> list[str]:
        header = next((cells for cells in self._rows if cells), None)
        if header is None:
            raise TableError(f"{self.name}: the file is empty: no header line")
        while len(header) > 1 and not header[-1]:
            header.pop()
        return header

    def _without_comments(self, lines: Iterator[str]) -> Iterator[str]:
        blank = 0
        for line in lines:
            self._read += 1
            blank = 0 if line.strip(" \t,;|") else blank + 1
            if blank > BLANK_MAX:
                raise TableError(
                    f"{self.name}: line {self._read}: more than {BLANK_MAX} blank lines. Delete them"
                )
            if self._between:
                if line.lstrip(' "').startswith("#"):
                    if len(self.comments) < COMMENTS_MAX:
                        self.comments.append(line.strip(' "#,;\t')[:COMMENT_MAX])
                    continue
                self.line = self._read
                self._between = False
            elif self._read - self.line >= CELL_LINES_MAX:
                raise TableError(
                    f"{self.name}: line {self.line}: a quote is opened and not closed in {CELL_LINES_MAX} lines"
                )
            yield line + "\n"

    def _parsed(self) -> Iterator[list[str]]:
        reader: Iterator[list[str]] | None = None
        while True:
            self._between = True
            try:
                if reader is None:
                    first = next(self._lines, None)
                    if first is None:
                        return
                    if not first.strip():
                        continue
                    if first.lower().strip(' "\n').startswith("sep=") and len(first.strip(' "\n')) == 5:
                        reader = self._split(first.strip(' "\n')[-1], self._lines)
                        continue
                    reader = self._split(_separator(first), _again(first, self._lines))
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise TableError(f"{self.name}: line {self.line}: {_csv_words(error)}") from None
            if self._read > self.line:
                self._check_breaks(cells)
            yield [] if cells == [""] else [cell.strip() for cell in cells]

    def _split(self, separator: str, lines: Iterator[str]) -> Iterator[list[str]]:
        self._separator = separator
        return csv.reader(lines, delimiter=separator, skipinitialspace=separator != "\t", strict=True)

    def _check_breaks(self, cells: list[str]) -> None:
        """A quoted cell may have line breaks; one that swallowed a whole row shows a missing quote."""
        for cell in cells:
            for line in cell.split("\n")[1:]:
                if len(cells) > 1 and line.count(self._separator) >= max(1, len(cells) - 2):
                    raise TableError(
                        f"{self.name}: line {self.line}: a quoted cell contains another row: {quoted(line)}. "
                        "Close the quote"
                    )


def _again(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _separator(line: str) -> str:
    outside = "".join(line.split('"')[::2])
    return max(SEPARATORS, key=lambda sign: (outside.count(sign), sign == ","))


def _csv_words(error: csv.Error) -> str:
    text = str(error)
    if "field limit" in text:
        return f"a cell is longer than {csv.field_size_limit()} characters. Shorten it, or delete the column"
    if "expected after" in text or "end of data" in text:
        return "a quote is not closed, or text follows it. Correct the quotes"
    return text
