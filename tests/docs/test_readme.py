"""The README's commands, folders and tools exist."""

import re
import subprocess
import sys
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


def test_ci_runs_the_readmes_own_test_command() -> None:
    assert "make test" in README
    assert (ROOT / ".ci/run").read_text().splitlines()[-1] == "make test"


def test_every_link_in_a_readme_leads_somewhere() -> None:
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)
    broken = []
    for name in listed.stdout.splitlines():
        for target in re.findall(r"\]\(([^)#\s]+)", (ROOT / name).read_text()):
            if "://" not in target and not ((ROOT / name).parent / target).exists():
                broken.append(f"{name}: {target}")
    assert not broken


TOOLS = re.findall(r"^\| `([a-z_]+)`", (ROOT / "tools/README.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_in_the_table_answers_help(tool: str) -> None:
    if tool in ("lint", "coverage_run"):
        return  # they take no options
    done = subprocess.run(
        [sys.executable, "-m", f"tools.{tool}", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "usage" in done.stdout.lower()


def test_every_tool_is_in_the_table() -> None:
    mains = {p.parent.name for p in (ROOT / "tools").glob("*/__main__.py")}
    mains |= {p.stem for p in (ROOT / "tools").glob("*.py") if '__name__ == "__main__"' in p.read_text()}
    text = (ROOT / "tools/README.md").read_text()
    assert not [name for name in mains if f"`{name}`" not in text]
