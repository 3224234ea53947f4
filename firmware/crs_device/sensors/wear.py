"""Is the strap on? Both probes are asked, and only both together can say that it is off.

Taking a strap that is on for off would silence "pulse lost"; so one probe that still touches the body, or cannot
tell, is enough against it.
"""

from crs_core.compat import const
from crs_core.units import WEAR_OFF, WEAR_UNKNOWN, WEAR_WORN

OFF_HOLD_MS = const(5000)  # † both probes off for this long before the strap counts as off


class Wear:
    """`update()` each second; `state` is the last WEAR_*."""

    def __init__(self) -> None:
        self.state = WEAR_UNKNOWN
        self._off_since_ms: int | None = None

    def update(self, optical: bool | None, thermal: bool | None, now_ms: int) -> int:
        """WEAR_* from what each probe says about touching a body: True, False, or None (cannot tell, or absent)."""
        if optical or thermal:
            self._off_since_ms = None
            self.state = WEAR_WORN
        elif optical is None or thermal is None:
            self._off_since_ms = None
            self.state = WEAR_UNKNOWN
        elif self._off_since_ms is None:
            self._off_since_ms = now_ms
        elif now_ms - self._off_since_ms >= OFF_HOLD_MS:
            self.state = WEAR_OFF
        return self.state
