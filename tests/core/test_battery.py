"""Battery percent on both runtimes, and the wearable's low-battery decision beside it."""

import pytest
from crs_core import battery
from crs_device.power import Power

from tests.core import battery_checks
from tools.rig.micropython import ROOT, run_micropython

CHECKS = [name for name in dir(battery_checks) if name.startswith("check_")]


class Cell:
    """A board with nothing but a cell."""

    def __init__(self) -> None:
        self.mv = 3900
        self.on_charger = False

    def battery_mv(self) -> int:
        return self.mv

    def charging(self) -> bool:
        return self.on_charger


@pytest.mark.parametrize("name", CHECKS)
def test_on_cpython(name: str) -> None:
    getattr(battery_checks, name)()


def test_on_micropython() -> None:
    done = run_micropython(ROOT / "tests/micropython/run_checks.py", "tests.core.battery_checks")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[1] for line in done.stdout.splitlines()] == sorted(CHECKS)


def test_low_is_told_below_ten_percent_and_taken_back_only_well_above_or_on_the_charger() -> None:
    cell = Cell()
    power = Power(cell)
    told = []
    for mv in (3700, 3650, 3649, 3700, 3739, 3740, 3640):
        cell.mv = mv
        power.read()
        told.append(power.is_low)
    assert told == [False, False, True, True, True, False, True]
    cell.on_charger = True
    cell.mv = 3660
    power.read()
    assert not power.is_low
    assert battery.percent(3650) == 10


def test_a_board_that_does_not_measure_its_cell_is_never_low() -> None:
    cell = Cell()
    cell.mv = 0
    power = Power(cell)
    power.read()
    assert (power.battery_mv, power.is_low) == (0, False)
