"""Every hazard has a control and every control a test that exists."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "tests/hazards.md").read_text()
COLUMNS = ["id", "hazard", "cause", "control", "test"]


def rows_of(text: str) -> list[list[str]]:
    """Cells of every table row but headings and rules, up to the section "Open"."""
    controls = text.partition("\n## Open")[0]
    lines = [line for line in controls.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row != COLUMNS and set(row[0]) != {"-"}]


@cache
def functions_of(path: str) -> dict[str, bool]:
    """{test function or Class::method: whether it always skips} of a file; {} when there is no such file."""
    file = ROOT / path
    if not file.is_file():
        return {}
    found = {}
    for node in ast.parse(file.read_text()).body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        for item in inside:
            if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) and item.name.startswith("test"):
                marks = " ".join(ast.unparse(mark) for mark in item.decorator_list)
                found[prefix + item.name] = bool(re.search(r"mark\.(skip|xfail)\b", marks))
    return found


def problems(text: str) -> list[str]:
    """One sentence for everything that is wrong with a hazard file."""
    wrong = []
    seen = set()
    for row in rows_of(text):
        name = row[0]
        if len(row) != len(COLUMNS) or not all(row[:4]):
            wrong.append(f"{name}: a row has {len(COLUMNS)} cells and the first four are never empty")
            continue
        if name in seen:
            wrong.append(f"{name}: the id appears twice")
        seen.add(name)
        tests = re.findall(r"`([^`]+)`", row[4])
        if not tests:
            wrong.append(f"{name}: a control without a test")
        for test in tests:
            path, _, function = test.partition("::")
            known = functions_of(path)
            if function not in known:
                wrong.append(f"{name}: no test {test}")
            elif known[function]:
                wrong.append(f"{name}: {test} never runs")
    return wrong


def test_every_control_has_a_test_that_exists() -> None:
    assert not problems(TEXT)


def test_the_table_is_not_empty_and_covers_every_area() -> None:
    areas = {row[0][0] for row in rows_of(TEXT)}
    assert areas == set("GAWRSJHBL")
    assert len(rows_of(TEXT)) >= 40


@pytest.mark.parametrize(
    "row",
    [
        "| X1 | h | c | k | |",
        "| X1 | h | c | k | by review |",
        "| X1 | h | c | | `tests/architecture/test_hazards.py::test_the_check_notices` |",
        "| X1 | h | c | k | `tests/architecture/test_hazards.py::test_that_is_not_there` |",
        "| X1 | h | c | k | `tests/no_such_file.py::test_the_check_notices` |",
        "| X1 | h | c | k | `tests/architecture/test_hazards.py` |",
        "| X1 | h | c | `tests/architecture/test_hazards.py::test_the_check_notices` |",
        "| G1 | h | c | k | `tests/architecture/test_hazards.py::test_the_check_notices` |",
    ],
)
def test_the_check_notices(row: str) -> None:
    assert problems(TEXT.replace("\n## Open", f"\n{row}\n\n## Open"))


def test_the_check_accepts_a_whole_row() -> None:
    row = "| X1 | h | c | k | `tests/architecture/test_hazards.py::test_the_check_notices` |"
    assert not problems(TEXT.replace("\n## Open", f"\n{row}\n\n## Open"))
