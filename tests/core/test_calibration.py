"""Calibration text: the same checks on both runtimes."""

import pytest

from tests.core import calibration_checks
from tools.rig.micropython import ROOT, run_micropython

CHECKS = sorted(name for name in dir(calibration_checks) if name.startswith("check_"))


@pytest.mark.parametrize("name", CHECKS)
def test_on_cpython(name):
    getattr(calibration_checks, name)()


def test_on_micropython():
    done = run_micropython(ROOT / "tests/micropython/run_checks.py", "tests.core.calibration_checks")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[1] for line in done.stdout.splitlines() if line.startswith("passed ")] == CHECKS
