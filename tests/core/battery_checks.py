"""Percent of a cell by its voltage; runs on both runtimes."""

from crs_core.battery import percent, steady


def check_not_measured_is_not_empty() -> None:
    assert percent(0) is None and percent(-1) is None
    assert percent(1) == 0  # a cell that is there and dead


def check_points_and_between() -> None:
    points = ((3300, 0), (3450, 5), (3650, 10), (3710, 20), (3760, 40), (3790, 50), (4030, 90), (4150, 100))
    for battery_mv, wanted in points:
        assert percent(battery_mv) == wanted, battery_mv
    assert percent(3680) == 15 and percent(3299) == 0 and percent(4300) == 100 and percent(4149) == 99


def check_a_higher_voltage_is_never_less() -> None:
    before = 0
    for battery_mv in range(1, 4400):
        now = percent(battery_mv)
        assert type(now) is int and before <= now <= before + 1 and now <= 100, battery_mv
        before = now


def check_what_is_shown_does_not_flicker() -> None:
    shown = None
    told = []
    for now in (52, 51, 50, 51, 52, 49, 50, 51, 47, 46):
        shown = steady(now, shown)
        told.append(shown)
    assert told == [52, 52, 52, 52, 52, 49, 49, 49, 49, 46], told


def check_what_is_not_known_any_more_is_not_shown_as_before() -> None:
    assert steady(None, 50) is None and steady(50, None) == 50 and steady(0, 2) == 0
