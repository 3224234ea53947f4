"""Every check of the `*_checks.py` files, on CPython one by one and on the real MicroPython; README.md says how."""

import importlib
import json

import pytest

from tools.rig.micropython import ROOT, run_micropython

MODULES = (
    "battery_checks",
    "block_checks",
    "bounds_checks",
    "calibration_checks",
    "context_checks",
    "wire.wire_checks",
)


def checks_of(module: str) -> list[str]:
    """Names of a module's checks, in the order in which both runtimes run them."""
    return sorted(name for name in dir(imported(module)) if name.startswith("check_"))


def imported(module: str):
    return importlib.import_module(f"tests.core.{module}")


@pytest.mark.parametrize("module,name", [(module, name) for module in MODULES for name in checks_of(module)])
def test_on_cpython(module: str, name: str) -> None:
    getattr(imported(module), name)()


@pytest.mark.parametrize("module", MODULES)
def test_on_micropython(module: str) -> None:
    done = run_micropython(ROOT / "tests/micropython/run_checks.py", f"tests.core.{module}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split("\n") == [*(f"passed {name}" for name in checks_of(module)), ""]


def test_no_file_of_checks_is_left_out() -> None:
    found = {path.stem for path in (ROOT / "tests/core").rglob("*_checks.py")}
    assert found == {module.rpartition(".")[2] for module in MODULES}


@pytest.mark.parametrize(
    "module,document,old,new,says",
    [
        ("block_checks", "BLOCKS", "3862", "3863", "one reading, simulated, codec 1"),
        ("wire.wire_checks", "MESSAGES", "1795000000123", "1795000000124", "Time"),
    ],
)
def test_a_spoiled_vector_is_noticed(monkeypatch, module, document, old, new, says) -> None:
    checks = imported(module)
    spoiled = json.loads(json.dumps(getattr(checks, document)).replace(old, new))
    monkeypatch.setattr(checks, document, spoiled)
    with pytest.raises(AssertionError, match=says):
        for name in checks_of(module):
            getattr(checks, name)()
