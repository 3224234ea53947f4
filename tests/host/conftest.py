"""The running agent and the folder of the product that tests of the host share."""

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.host.agent_world import World, make_world

ROOT = Path(__file__).resolve().parents[2]


class Tree(NamedTuple):
    """A copy of the product to which a test adds a part. `run` runs Python in it, as from the project's root."""

    root: Path
    home: Path
    run: Callable[..., subprocess.CompletedProcess[str]]

    def write(self, name: str, text: str) -> None:
        """A new file."""
        (self.root / name).write_text(text)

    def replace(self, name: str, old: str, new: str) -> None:
        """One place of a file."""
        text = (self.root / name).read_text()
        assert text.count(old) == 1, (name, old)
        (self.root / name).write_text(text.replace(old, new))

    def cytowatch(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """The command of this tree."""
        return self.run("-m", "host_agent.cli.main", *arguments, **env)

    def page(self, name: str) -> str:
        """A page with its generated parts written anew."""
        done = self.run("-m", "cogapp", "-r", name)
        assert done.returncode == 0, done.stderr
        return (self.root / name).read_text()


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """The product in a folder of its own."""
    root, home = tmp_path / "tree", tmp_path / "home"
    for folder in ("host_agent", "firmware/crs_core", "tools/dev"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "tools/__init__.py", root / "tools")

    def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        places = f"{root}{os.pathsep}{root / 'firmware'}"
        return subprocess.run(
            [sys.executable, *arguments], cwd=root, capture_output=True, text=True, stdin=subprocess.DEVNULL,
            timeout=60, check=False,
            env={**os.environ, "PYTHONPATH": places, "CYTOWATCH_HOME": str(home), "COLUMNS": "100", **env},
        )  # fmt: skip

    return Tree(root, home, run)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A wearable on a port, a receiver and the means to run agents over them."""
    async with make_world(tmp_path) as made:
        yield made
