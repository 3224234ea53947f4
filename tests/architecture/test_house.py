"""`python -m tools.dev.house` counts what it says, and the project keeps what the table asks for."""

from pathlib import Path

import pytest

from tools.dev import house
from tools.dev.import_graph import import_graph

ROOT = Path(__file__).resolve().parents[2]


def write(root: Path, name: str, source: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)


def test_no_tool_imports_a_test() -> None:
    assert house.tools_that_import_tests(import_graph(ROOT)) == []


def test_sql_stands_in_the_store_alone() -> None:
    assert house.sql_outside_the_store(ROOT) == []


@pytest.mark.parametrize(
    "source",
    [
        "from tests.fakes import bed",
        "__import__('tests.fakes.bed')",
        "import importlib; importlib.import_module('tests.fakes.bed')",
        "import importlib; importlib.import_module('.bed', 'tests.fakes')",
        "import runpy; runpy.run_module('tests.fakes.bed')",
        "import runpy; runpy.run_path('tests/fakes/bed.py')",
    ],
)
def test_a_tool_that_imports_a_test_inside_a_function_is_found(tmp_path: Path, source: str) -> None:
    write(tmp_path, "tests/fakes/bed.py", "")
    write(tmp_path, "tools/demo/mission.py", f"def late():\n    {source}\n")
    write(tmp_path, "tools/demo/calm.py", "import tools.demo.mission\n")
    assert house.tools_that_import_tests(import_graph(tmp_path)) == ["tools.demo.mission"]


@pytest.mark.parametrize(
    "source",
    [
        'QUERY = "SELECT a FROM b"',
        'QUERY = """\n    insert_into = 1\n"""\nOTHER = "INSERT OR IGNORE INTO a VALUES (1)"',
        'def f(n):\n    return f"UPDATE a SET b = {n}"',
        'QUERY = "DELETE FROM a"',
        'QUERY = "WITH a AS (SELECT 1) SELECT * FROM a"',
        'QUERY = "CREATE UNIQUE INDEX a ON b (c)"',
        'QUERY = "PRAGMA user_version"',
        "def f(tx, query):\n    return tx.execute(query)",
        "def f(db, query):\n    db.executescript(query)",
        "def f(db, query):\n    run = db.execute\n    run(query)",
        "def f(db, query):\n    getattr(db, 'execute')(query)",
        "import sqlite3",
        "from sqlite3 import connect",
        'QUERY = "-- why\\nSELECT a FROM b"',
        'QUERY = "(SELECT a FROM b)"',
        'QUERY = "SAVEPOINT a"',
    ],
)
def test_sql_is_found_outside_the_store_and_nowhere_else(tmp_path: Path, source: str) -> None:
    write(tmp_path, "host_agent/store/rows.py", source)
    write(tmp_path, "tests/host/test_rows.py", source)
    assert house.sql_outside_the_store(tmp_path) == []
    write(tmp_path, "host_agent/people/rows.py", source)
    write(tmp_path, "tools/demo/rows.py", source)
    assert house.sql_outside_the_store(tmp_path) == ["host_agent/people/rows.py", "tools/demo/rows.py"]


@pytest.mark.parametrize(
    "source",
    [
        'TEXT = "Select a patient with --device."',
        'TEXT = "UPDATE: the wearable restarts."',
        'TEXT = "CREATE an account first."',
        'def f(board):\n    board.execute("import os")',
    ],
)
def test_what_is_no_sql_is_not_found(tmp_path: Path, source: str) -> None:
    write(tmp_path, "tools/board/words.py", source)
    assert house.sql_outside_the_store(tmp_path) == []


def test_a_row_is_short_above_its_target_and_the_table_counts_the_tree(tmp_path: Path) -> None:
    write(tmp_path, "host_agent/__init__.py", "")
    write(tmp_path, "host_agent/long.py", "\n" * 351)
    write(tmp_path, "tools/short.py", "\n" * 3)
    assert [str(row) for row in house.rows(tmp_path)] == [
        "row: import circles, those inside functions included | 0 | target 0 | ok",
        "row: modules of the tools that import tests | 0 | target 0 | ok",
        "row: files with SQL outside host_agent/store | 0 | target 0 | ok",
        "row: lines of Python in host_agent, tools and tests | 354 | target 64000 | ok",
        "row: median module, lines | 177 | target 110 | short",
        "row: longest module, lines | 351 | target 350 | short",
    ]
