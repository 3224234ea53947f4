"""The tables in the README are those that grade."""

import subprocess
import sys
from pathlib import Path

import pytest
from crs_core.grade.scales import PUBLISHED

from tools.dev import grade_tables
from tools.rig.micropython import ROOT


def test_the_readme_shows_the_tables_of_the_code() -> None:
    page = grade_tables.README.read_text(encoding="utf-8")
    assert grade_tables.section() in page, "run `python -m tools.dev.grade_tables --write`"
    assert page.count(grade_tables.BEGIN) == page.count(grade_tables.END) == 1


def test_the_tool_prints_what_it_would_write() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.dev.grade_tables"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and done.stdout == grade_tables.section() + "\n"


def test_every_table_has_a_line_for_each_parameter_and_names_its_paper() -> None:
    text = grade_tables.section()
    for name, one in PUBLISHED.items():
        part = text.partition(f"#### `{name}`")[2].partition("####")[0]
        assert part
        for row in one.scale.rows:
            assert (f"\n| {row.name}" in part) == bool(row.cells), (name, row.name)
        assert one.paper in part and one.people_judge in part


def test_a_readme_without_marks_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "README.md"
    page.write_text("no tables here\n")
    monkeypatch.setattr(grade_tables, "README", page)
    monkeypatch.setattr(sys, "argv", ["grade_tables", "--write"])
    assert grade_tables.main() == 1
    assert page.read_text() == "no tables here\n" and "marks" in capsys.readouterr().err
