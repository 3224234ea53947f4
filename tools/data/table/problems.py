"""What is wrong with a file: the first problems with their lines, and how many there are."""

from pathlib import Path

SHOWN = 10
KEPT = 1000
CELL_SHOWN = 40


class TableError(ValueError):
    """The file was refused; the text names it, the place and what to change. `problems` holds the first KEPT."""

    def __init__(self, text: str, problems: list[str] | None = None) -> None:
        super().__init__(text)
        self.problems = problems or [text]


class Problems:
    """Collects the problems of the file `name`; memory and text stay small however many there are."""

    def __init__(self, name: str | Path) -> None:
        self._name = name
        self._kept: list[str] = []
        self.count = 0

    def add(self, problem: str) -> None:
        """Note one problem; its text begins with its place."""
        self.count += 1
        if len(self._kept) < KEPT:
            self._kept.append(problem)

    def check_first(self) -> None:
        """TableError with the first problem, on one line, when there is any."""
        if self._kept:
            raise TableError(f"{self._name}: {self._kept[0]}")

    def check(self, advice: str = "") -> None:
        """TableError when there is any problem; `advice` is its last line."""
        if not self.count:
            return
        lines = [f"{self._name}: refused, problems: {self.count}", *self._kept[:SHOWN]]
        if self.count > SHOWN:
            lines.append(f"... and {self.count - SHOWN} more")
        raise TableError("\n".join([*lines, *([advice] if advice else [])]), self._kept)


def counted(lines: list[int]) -> str:
    """Text like `2 (lines 7, 12)`."""
    more = ", ..." if len(lines) > SHOWN else ""
    return f"{len(lines)} (lines {', '.join(map(str, lines[:SHOWN]))}{more})"


def quoted(cell: str) -> str:
    """A cell for a message: quoted, without control characters, never long."""
    return repr(cell if len(cell) <= CELL_SHOWN else cell[:CELL_SHOWN] + "…")
