"""Short forms of `python -m tools.lab.fuzz`: nothing that a wearable can send brings a traceback anywhere."""

import random

import pytest

from tools.lab.fuzz import commands, decoders, records
from tools.rig.micropython import ROOT, run_micropython


def seed() -> int:
    drawn = random.SystemRandom().randrange(1 << 30)
    print(f"seed {drawn}")
    return drawn


def test_decoders_raise_only_what_they_declare_on_cpython():
    assert decoders.main(seed(), 10_000) == 0


def test_decoders_raise_only_what_they_declare_on_micropython():
    script = ROOT / "tools/lab/fuzz/decoders.py"
    done = run_micropython(script, str(seed()), "10000", heap="16M")
    assert done.returncode == 0 and " 0 undeclared" in done.stdout, done.stdout + done.stderr


def test_absurd_records_bring_no_traceback_anywhere():
    assert records.main(seed(), 600) == 0


@pytest.mark.slow
def test_many_absurd_records_bring_no_traceback_anywhere():
    assert records.main(seed(), 12_000) == 0


def test_a_fault_is_found(monkeypatch):
    """The fuzz itself: a decoder and a command that fail are counted."""
    monkeypatch.setattr(decoders.calibration, "parse", lambda text: {}[text])
    assert decoders.main(1, 2_000) > 0
    monkeypatch.setattr(commands, "main", lambda arguments: {}["x"])
    assert records.main(1, 4) > 0
