"""Parts of a page that a program writes are what the program writes now; `make docs` writes them anew."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LISTED = subprocess.run(
    ["git", "grep", "-l", "--fixed-strings", "[[[cog", "--", "*.md"],
    cwd=ROOT, capture_output=True, text=True, check=True,
)  # fmt: skip
PAGES = LISTED.stdout.splitlines()


def test_the_pages_of_the_host_are_among_them():
    assert {"host_agent/COMMANDS.md", "host_agent/CONFIGURATION.md"} <= set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_the_page_is_current(page):
    done = subprocess.run(
        [sys.executable, "-m", "cogapp", "--check", page],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"run `make docs`: {done.stdout}{done.stderr}"
