"""Every import contract of pyproject.toml notices an import that breaks it."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]

BREAKS = {
    "only tests import tests": (
        "tools/demo/__init__.py",
        "def late():\n    from tests.fakes import nor_flash\n",
    ),
    "rooms import in one direction": (
        "host_agent/store/db.py",
        "def late():\n    from host_agent.store import retention\n",
    ),
    "the host's rooms, each seeing only those below it": (
        "host_agent/patient/__init__.py",
        "import host_agent.control.socket\n",
    ),
    "crs_core is pure: it knows neither side": ("firmware/crs_core/units.py", "import host_agent.errors\n"),
    "the device knows nothing of the host or the tools": (
        "firmware/crs_device/clock.py",
        "import host_agent.errors\n",
    ),
    "the host runs without device code or tools": ("host_agent/errors.py", "import crs_device.clock\n"),
    "what people sign is kept apart from link, sync, receivers and screen": (
        "host_agent/people/__init__.py",
        "import host_agent.link.serial\n",
    ),
    "a command is one file: none imports another": (
        "host_agent/cli/pause.py",
        "import host_agent.cli.report\n",
    ),
    "forwarders know neither the screen, the link nor the configuration": (
        "host_agent/forward/__init__.py",
        "import host_agent.sync.engine\n",
    ),
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the sources and of the contracts."""
    for folder in ("firmware", "host_agent", "tools", "tests"):
        shutil.copytree(
            ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "*.json")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def broken(project: Path) -> set[str]:
    """Names of the contracts that the copy breaks."""
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-logo", "--no-cache"],
        cwd=project, env={**os.environ, "PYTHONPATH": ".:firmware"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Analyzed" in done.stdout, done.stdout + done.stderr
    return {line.removesuffix(" BROKEN") for line in done.stdout.splitlines() if line.endswith(" BROKEN")}


def test_every_contract_has_an_import_that_breaks_it() -> None:
    assert {contract["name"] for contract in CONTRACTS} == {*BREAKS}


def test_every_contract_is_broken_by_its_import_alone(project: Path) -> None:
    for name, (file, source) in BREAKS.items():
        path = project / file
        before = path.read_text()
        path.write_text(before + source)
        assert name in broken(project), file
        path.write_text(before)
    assert broken(project) == set()
