"""The journal under real LittleFS on real MicroPython: cuts, damage, flash errors, and proof that the checks notice."""

import pytest

from tools.rig.micropython import ROOT, run_micropython

FOLDERS = (ROOT / "tools/rig/on_micropython", ROOT / "tests/micropython")


def run(script: str, *args: str) -> tuple[int, str]:
    (path,) = (folder / script for folder in FOLDERS if (folder / script).exists())
    done = run_micropython(path, *args, heap="16M", timeout_s=540)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
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


@pytest.mark.slow
def test_flash_errors_are_ridden_out_or_refused():
    code, out = run("journal_eio.py")
    assert code == 0, out
    assert "eio passed" in out


def test_operations_that_silently_do_nothing_or_flip_a_bit_invent_and_hide_nothing():
    code, out = run("journal_silent.py")
    assert code == 0, out
    assert "silent passed" in out


def test_random_cuts_some_of_them_twice_lose_and_double_nothing():
    """A few lives of the bench `cuts`, so that it stays able to run."""
    code, out = run("journal_random_cuts.py", "7", "60")
    assert code == 0, out
    words = out.split()
    figures = dict(zip(words[::2], words[1::2], strict=True))
    assert figures["cuts"] == "60", out
    assert int(figures["second"]) > 0, out
    assert (figures["losses"], figures["duplicates"]) == ("0", "0"), out


def test_the_random_cuts_count_what_is_lost():
    code, out = run("journal_random_cuts.py", "7", "60", "write_behind")
    assert code == 0, out
    assert int(out.split()[-3]) > 0, out


@pytest.mark.parametrize(
    ("script", "sabotage", "notice"),
    [
        ("journal_cuts.py", "write_behind", "gone"),  # number given out before flash
        ("journal_cuts.py", "one_slot", "gone"),  # settings replaced in place
        ("journal_cuts.py", "no_generation", "went back"),  # the newer slot not told from the older one
        ("journal_damage.py", "no_crc", "taken for good"),  # CRC not looked at
        ("journal_silent.py", "no_crc", "taken for good"),
        ("journal_damage.py", "trust_claims", "two contents"),  # numbers not skipped after damage
    ],
)
def test_without_one_safeguard_the_checks_fail(script: str, sabotage: str, notice: str):
    code, out = run(script, sabotage)
    assert code == 1, out
    assert notice in out
