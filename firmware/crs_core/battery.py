"""The charge of a lithium cell from its voltage: coarse, in whole percent, and None where it is not measured."""

from crs_core.compat import const

# † mV under a load of about a tenth of the capacity -> percent. The curve is of no cell in particular: replace it by
# that of the cell in use. At 0 the 3.3 V regulator fails; the cell is not damaged there. Between 3700 and 3800 mV ten
# percent lie within 20 to 50 mV, so a converter that is 2 % off is wrong by 20 to 30 percent there.
_CURVE_MV = (3300, 3450, 3650, 3710, 3740, 3760, 3790, 3840, 3890, 3950, 4030, 4150)
_CURVE_PERCENT = (0, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100)
_STEADY_PERCENT = const(3)


def percent(battery_mv: int) -> int | None:
    """Charge left in percent, linear between the points; None for 0 mV, the mark of "not measured"."""
    if battery_mv <= 0:
        return None
    for i in range(len(_CURVE_MV)):
        high_mv = _CURVE_MV[i]
        if battery_mv <= high_mv:
            if i == 0:
                return 0
            low_mv = _CURVE_MV[i - 1]
            low = _CURVE_PERCENT[i - 1]
            return low + (_CURVE_PERCENT[i] - low) * (battery_mv - low_mv) // (high_mv - low_mv)
    return 100


def steady(now: int | None, shown: int | None) -> int | None:
    """The percentage to show after `shown`: the same until it is wrong by 3 percent, so that a load does not make it
    flicker."""
    if now is None or shown is None or now == 0 or abs(now - shown) >= _STEADY_PERCENT:
        return now
    return shown
