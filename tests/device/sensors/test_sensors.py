"""The sensor checks on CPython one by one, and all of them on real MicroPython."""

import importlib
from pathlib import Path

import pytest

from tools.rig.micropython import ROOT, run_micropython

MODULES = (
    "driver_checks", "thermometer_driver_checks", "light_checks", "sample_clock_checks", "optical_checks",
    "probe_checks", "settling_checks", "wear_checks", "corrected_checks",
)  # fmt: skip


def cases() -> list[tuple[str, str]]:
    """(module, check) of every check."""
    found = []
    for module in MODULES:
        names = dir(importlib.import_module(f"tests.device.sensors.{module}"))
        found += [(module, name) for name in names if name.startswith("check_")]
    return found


@pytest.mark.parametrize(("module", "name"), cases())
def test_on_cpython(module: str, name: str) -> None:
    getattr(importlib.import_module(f"tests.device.sensors.{module}"), name)()


@pytest.mark.parametrize("module", MODULES)
def test_on_micropython(module: str) -> None:
    done = run_micropython(ROOT / "tests/micropython/run_checks.py", f"tests.device.sensors.{module}")
    assert done.returncode == 0, done.stdout + done.stderr
    passed = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("passed ")]
    assert passed == sorted(name for of, name in cases() if of == module)


def test_drain_and_filter_allocate_nothing() -> None:
    done = run_micropython(Path(ROOT / "tools/rig/on_micropython/sample_path_allocates_nothing.py"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split() == ["bytes", "0"]
