"""The register models on CPython one check at a time, and all of them on real MicroPython."""

import importlib

import pytest

from tools.rig.micropython import ROOT, run_micropython

MODULES = ("ppg_checks", "thermometer_checks", "second_thermometer_checks")


def cases() -> list[tuple[str, str]]:
    """(module, check) of every check."""
    found = []
    for module in MODULES:
        names = dir(importlib.import_module(f"tests.tools.virtual_wearable.{module}"))
        found += [(module, name) for name in names if name.startswith("check_")]
    return found


@pytest.mark.parametrize(("module", "name"), cases())
def test_on_cpython(module: str, name: str) -> None:
    getattr(importlib.import_module(f"tests.tools.virtual_wearable.{module}"), name)()


@pytest.mark.parametrize("module", MODULES)
def test_on_micropython(module: str) -> None:
    done = run_micropython(
        ROOT / "tests/micropython/run_checks.py", f"tests.tools.virtual_wearable.{module}", heap="16M"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("passed ")]
    assert passed == sorted(name for of, name in cases() if of == module)
