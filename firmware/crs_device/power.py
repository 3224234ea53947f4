"""Battery voltage and charging, with a low-battery decision that does not flicker."""

from crs_core.compat import const

_LOW_MV = const(3650)  # † 10 % (crs_core/battery.py): about an hour of a 500 mAh cell on the hungrier board
_RECOVERED_MV = const(3740)  # 30 %, more than a load that ends gives back


class Power:
    """Reads the board's battery; a board without a battery monitor answers 0 mV and is never "low"."""

    def __init__(self, board) -> None:  # type: ignore[no-untyped-def]
        self._board = board
        self.battery_mv = 0
        self.is_charging = False
        self.is_low = False

    def read(self) -> None:
        """Take one measurement; OSError from the converter leaves the last values."""
        battery_mv = self._board.battery_mv()
        self.battery_mv = battery_mv
        self.is_charging = bool(self._board.charging())
        if battery_mv <= 0:
            self.is_low = False
        elif battery_mv < _LOW_MV:
            self.is_low = True
        elif battery_mv >= _RECOVERED_MV or self.is_charging:
            self.is_low = False
