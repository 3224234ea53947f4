"""The README's commands, folders and tools exist."""

import re
import runpy
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
DISCLAIMER = "Research prototype, not a medical device."


def test_the_disclaimer_stands_at_the_top() -> None:
    assert DISCLAIMER in "\n".join(README.splitlines()[:6])


def test_every_make_target_named_in_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"make ([a-z-]+)", README))
    assert named
    assert named <= targets | {"bench"}


def test_ci_runs_the_readmes_own_test_command_and_every_test_once() -> None:
    assert "make test" in README
    commands = [line for line in (ROOT / ".ci/run").read_text().splitlines() if line.startswith("make ")]
    assert commands == ["make test"], "unguarded: its exit code ends the run"


def test_every_link_in_a_readme_leads_somewhere() -> None:
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)
    broken = []
    for name in listed.stdout.splitlines():
        for target in re.findall(r"\]\(([^)#\s]+)", (ROOT / name).read_text()):
            if "://" not in target and not ((ROOT / name).parent / target).exists():
                broken.append(f"{name}: {target}")
    assert not broken


TABLE = (ROOT / "tools/README.md").read_text()
TOOLS = re.findall(r"^\| \[?`([a-z_.]+)`", TABLE, re.MULTILINE)
WITHOUT_OPTIONS = {"conductor", "dev.lint", "dev.suite", "lab.bluez_lane", "lab.coverage"}


@pytest.mark.parametrize("tool", sorted({*TOOLS} - WITHOUT_OPTIONS))
def test_every_tool_in_the_table_answers_help(
    tool: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [tool, "--help"])
    with pytest.raises(SystemExit) as ended, warnings.catch_warnings(action="ignore"):
        runpy.run_module(f"tools.{tool}", run_name="__main__", alter_sys=True)
    assert ended.value.code == 0
    assert "usage" in capsys.readouterr().out.lower()


def test_every_tool_is_in_the_table() -> None:
    """A tool is what reads options: other modules that can be run belong to one."""
    named = set()
    for path in (ROOT / "tools").rglob("*.py"):
        text = path.read_text()
        if "argparse" in text and '__name__ == "__main__"' in text:
            parts = path.relative_to(ROOT / "tools").with_suffix("").parts
            named.add(".".join(parts[:-1] if parts[-1] == "__main__" else parts))
    assert not [name for name in named if not {name, name.rpartition(".")[0]} & {*TOOLS}]
