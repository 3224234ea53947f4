"""Print how tidy the source is, from the source itself, each figure beside its target: `python -m tools.dev.house`.

Exit 0 when every target is met, 1 otherwise. The architecture tests and this table look at the same functions.
"""

import argparse
import ast
import re
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tools.dev.import_graph import Graph, circles, import_graph

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("firmware", "host_agent", "tools", "tests")
LINES_MAX = 64_000
MEDIAN_MODULE_MAX = 110
LONGEST_MODULE_MAX = 350

_STATEMENT = re.compile(
    r"(?:\s|\(|--[^\n]*\n)*(SELECT|EXPLAIN|SAVEPOINT|REINDEX|INSERT\s+(OR\s+\w+\s+)?INTO|REPLACE\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|WITH\s+\w+.*\bAS\b|PRAGMA"
    r"|(CREATE|ALTER|DROP)\s+(TEMP\s+)?(UNIQUE\s+)?(TABLE|INDEX|VIEW|TRIGGER)|BEGIN\s+IMMEDIATE|VACUUM|ATTACH)\b"
)
_EXECUTING = {"execute", "executemany", "executescript"}
_BOARDS = {"board", "port", "board_port"}  # what these execute is Python on a board


class Row(NamedTuple):
    """One line of the table: what was counted, the figure, the most it may be."""

    name: str
    figure: int
    most: int

    def __str__(self) -> str:
        state = "ok" if self.figure <= self.most else "short"
        return f"row: {self.name} | {self.figure} | target {self.most} | {state}"


def modules(root: Path, *folders: str) -> Iterator[Path]:
    """Every Python file in these folders of the project at `root`."""
    for folder in folders:
        yield from sorted((root / folder).rglob("*.py"))


def tools_that_import_tests(graph: Graph) -> list[str]:
    """Names of the tools' modules that import a module of the tests, also by its name as text."""
    return sorted(
        name
        for name, targets in graph.items()
        if name.startswith("tools.") and any(target.split(".")[0] == "tests" for target in targets)
    )


def speaks_sql(tree: ast.Module) -> bool:
    """Whether a module holds an SQL statement, hands one to a database or opens a database by itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _STATEMENT.match(node.value):
            return True
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "getattr":
            named = [one.value for one in node.args[1:2] if isinstance(one, ast.Constant)]
            if set(named) & set(_EXECUTING):
                return True
        if (
            isinstance(node, ast.Attribute)
            and node.attr in _EXECUTING
            and ast.unparse(node.value) not in _BOARDS
        ):
            return True
        if isinstance(node, ast.Import) and any(alias.name == "sqlite3" for alias in node.names):
            return True
        if isinstance(node, ast.ImportFrom) and node.module == "sqlite3":
            return True
    return False


def sql_outside_the_store(root: Path) -> list[str]:
    """Paths of the host's and the tools' modules that speak SQL and are not in host_agent/store."""
    store = root / "host_agent" / "store"
    return [
        path.relative_to(root).as_posix()
        for path in modules(root, "host_agent", "tools")
        if not path.is_relative_to(store) and speaks_sql(ast.parse(path.read_text()))
    ]


def rows(root: Path) -> list[Row]:
    """The table of the project at `root`."""
    graph = import_graph(root)
    lengths = [count for path in modules(root, *FOLDERS) if (count := len(path.read_text().splitlines()))]
    lines = sum(len(path.read_text().splitlines()) for path in modules(root, "host_agent", "tools", "tests"))
    return [
        Row("import circles, those inside functions included", len(circles(graph)), 0),
        Row("modules of the tools that import tests", len(tools_that_import_tests(graph)), 0),
        Row("files with SQL outside host_agent/store", len(sql_outside_the_store(root)), 0),
        Row("lines of Python in host_agent, tools and tests", lines, LINES_MAX),
        Row("median module, lines", int(statistics.median(lengths)), MEDIAN_MODULE_MAX),
        Row("longest module, lines", max(lengths), LONGEST_MODULE_MAX),
    ]


def main(argv: list[str] | None = None) -> int:
    """Print the table; with --names also what each figure counts."""
    parser = argparse.ArgumentParser(prog="tools.dev.house", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--names", action="store_true", help="name what is counted: circles, files, long modules"
    )
    asked = parser.parse_args(argv)
    found = rows(ROOT)
    for row in found:
        print(row)
    if asked.names:
        graph = import_graph(ROOT)
        for circle in circles(graph):
            print("circle:", " <-> ".join(circle))
        for name in tools_that_import_tests(graph):
            print("imports tests:", name)
        for name in sql_outside_the_store(ROOT):
            print("speaks SQL:", name)
        for path in modules(ROOT, *FOLDERS):
            if (count := len(path.read_text().splitlines())) > LONGEST_MODULE_MAX:
                print(f"long: {path.relative_to(ROOT)}, {count} lines")
    return int(any(row.figure > row.most for row in found))


if __name__ == "__main__":
    sys.exit(main())
