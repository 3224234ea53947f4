"""The compiled loops: the same answers on both runtimes, and nothing that a chip's 32 bits would cut off."""

from array import array

import pytest
from crs_device.signal import kernels, light

from tests.device.signal.watched import FOLD, INT32, Watched
from tests.micropython.kernel_answers import answers
from tools.rig.micropython import ROOT, run_micropython


def watched() -> list[str]:
    """The answers of the firmware's own lines on integers that note their size."""
    return list(answers(lambda values: [Watched(value) for value in values]))


def test_every_intermediate_fits_a_chip() -> None:
    Watched.worst = 0
    assert len(watched()) > 100 and INT32 / 8 < Watched.worst < INT32


def test_machine_code_and_plain_python_answer_alike() -> None:
    done = run_micropython(ROOT / "tests/micropython/kernel_answers.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == watched()


def test_the_watch_notices_a_sign_that_the_fold_would_lose() -> None:
    with pytest.raises(OverflowError):
        _ = (Watched(1 << 29) + (1 << 29)) & FOLD
    x = [Watched(2047)] * 200
    with pytest.raises(OverflowError):  # twice the window of the chain
        kernels.dot(x, 0, x, 0, 200)  # type: ignore[arg-type]


def test_a_pulse_falls_steeper_than_it_rises_and_movement_does_not() -> None:
    beat = [min(4 * (i % 32), 32 - i % 32) * 30 for i in range(128)]  # four times faster up than down
    pulse = array("i", [100000 - value for value in beat])
    assert light.upstroke(pulse, 128, 96, 32) > 2500
    drifting = array("i", [value + 40 * i for i, value in enumerate(pulse)])
    assert light.upstroke(drifting, 128, 96, 32) == pytest.approx(
        light.upstroke(pulse, 128, 96, 32), rel=0.05
    )
    mirrored = array("i", [200000 - value for value in pulse])
    assert light.upstroke(mirrored, 128, 96, 32) < 400
    symmetric = array("i", [100000 - 300 * abs(i % 20 - 10) for i in range(128)])
    assert 900 <= light.upstroke(symmetric, 128, 100, 20) <= 1100
    assert light.upstroke(array("i", [7] * 128), 128, 100, 20) == 0


def test_where_contact_begins_within_a_burst() -> None:
    def first(values: list[int], level: int = 0) -> tuple[int, bool]:
        found = kernels.contact_from(array("i", values), len(values), 20000, level)
        return found % kernels.BROKEN, found >= kernels.BROKEN

    assert first([90000] * 8) == (0, False) and first([900, 900, 90000, 90000]) == (2, True)
    assert first([90000, 90000, 900, 900]) == (4, True)
    assert first([90000, 90000], level=50000) == (0, True)  # a new grip
    assert first([90000, 40000, 40000]) == (1, True) and first([90000, 70000, 88000]) == (2, True)
    assert first([900] * 32) == (32, True)


def test_a_level_is_a_mean_and_the_limit_ends_it() -> None:
    ring = array("i", [1000 + i for i in range(128)])
    assert kernels.level_of(ring, 128, 100, 5000) == 1000 + 77
    assert (
        kernels.level_of(ring, 130, 100, 5000) == (sum(1000 + i for i in range(30, 128)) + 1000 + 1001) // 100
    )
    assert kernels.level_of(ring, 128, 100, 1127) == -1
