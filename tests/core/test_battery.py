"""The wearable's low-battery decision; battery_checks.py has the percentages."""

from crs_core import battery
from crs_device.power import Power


class Cell:
    """A board with nothing but a cell."""

    def __init__(self) -> None:
        self.mv = 3900
        self.on_charger = False

    def battery_mv(self) -> int:
        return self.mv

    def charging(self) -> bool:
        return self.on_charger


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
