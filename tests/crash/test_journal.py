"""The journal under real LittleFS on real MicroPython: cuts, damage, flash errors, and proof that the checks notice."""

from pathlib import Path

import pytest

from tests.mp import run_micropython

SCRIPTS = Path(__file__).parent.parent / "micropython"


def run(script: str, *args: str) -> tuple[int, str]:
    done = run_micropython(SCRIPTS / script, *args, heap="16M", timeout_s=200)
    return done.returncode, done.stdout + done.stderr


def test_a_cut_at_every_flash_operation_loses_nothing_journaled():
    code, out = run("journal_cuts.py")
    assert code == 0, out
    words = out.split()
    cuts, second, points = int(words[1]), int(words[3]), int(words[5])
    assert points >= 100
    assert cuts == 3 * points
    assert second >= 100


def test_damaged_blocks_are_refused_and_the_rest_reads():
    code, out = run("journal_damage.py")
    assert code == 0, out
    assert "damage passed" in out


def test_flash_errors_are_ridden_out_or_refused():
    code, out = run("journal_eio.py")
    assert code == 0, out
    assert "eio passed" in out


@pytest.mark.parametrize(
    ("script", "sabotage", "notice"),
    [
        ("journal_cuts.py", "write_behind", "gone"),  # number given out before flash
        ("journal_cuts.py", "one_slot", "gone"),  # settings replaced in place
        ("journal_damage.py", "no_crc", "taken for good"),  # CRC not looked at
        ("journal_damage.py", "trust_claims", "two contents"),  # numbers not skipped after damage
    ],
)
def test_without_one_safeguard_the_checks_fail(script: str, sabotage: str, notice: str):
    code, out = run(script, sabotage)
    assert code == 1, out
    assert notice in out
