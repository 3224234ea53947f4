"""The scan of imports sees also those inside functions; the project has no circle."""

from pathlib import Path

import pytest

from tools.dev.import_graph import circles, import_graph

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path: Path):
    """`project({"host_agent/a.py": source})` writes a project and returns its import graph."""

    def make(files: dict[str, str]):
        for name, source in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
        return import_graph(tmp_path)

    return make


def test_no_import_circle_in_the_project() -> None:
    assert circles(import_graph(ROOT)) == []


@pytest.mark.parametrize(
    "back",
    [
        "from host_agent import first",
        "from host_agent.first import name",
        "def late():\n    import host_agent.first",
        "def late():\n    if True:\n        from host_agent.first import name",
        "from . import first",
        "from .first import name",
        "try:\n    from host_agent.first import name\nexcept ImportError:\n    pass",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    pass\nelse:\n    from host_agent import first",
        "from typing import TYPE_CHECKING\nif not TYPE_CHECKING:\n    from host_agent import first",
        "import importlib\ndef late():\n    importlib.import_module('host_agent.first')",
        "from importlib import import_module\ndef late():\n    import_module('.first', package='host_agent')",
        "def late():\n    return __import__('host_agent.first')",
    ],
)
def test_a_circle_is_found_wherever_the_import_stands(project, back: str) -> None:
    graph = project({"host_agent/first.py": "import host_agent.second", "host_agent/second.py": back})
    assert circles(graph) == [["host_agent.first", "host_agent.second"]]


def test_a_long_circle_across_folders_is_one(project) -> None:
    graph = project(
        {
            "firmware/crs_core/__init__.py": "",
            "firmware/crs_core/a.py": "from host_agent import b",
            "host_agent/b.py": "from tools.c import name",
            "tools/c/__init__.py": "def f():\n    from tests.d import x",
            "tests/d.py": "from crs_core import a",
        }
    )
    assert circles(graph) == [["crs_core.a", "host_agent.b", "tests.d", "tools.c"]]


@pytest.mark.parametrize(
    "back",
    [
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from host_agent import first",
        "import typing\nif typing.TYPE_CHECKING:\n    import host_agent.first",
        "TEXT = 'import host_agent.first'",
        "import first",
    ],
)
def test_what_never_runs_is_no_import(project, back: str) -> None:
    assert (
        circles(project({"host_agent/first.py": "import host_agent.second", "host_agent/second.py": back}))
        == []
    )
