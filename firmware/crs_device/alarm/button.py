"""The one button: short press pauses the sound, a press of 2 s says "I feel ill". Debounced."""

from crs_core.compat import const

NOTHING = const(0)
SHORT = const(1)
LONG = const(2)

_BOUNCE_MS = const(30)
_LONG_MS = const(2000)


class Button:
    """Turns the pin's level into presses. A long press counts while the button is still held."""

    def __init__(self, health=None, bounce_counter: int = 0) -> None:  # type: ignore[no-untyped-def]
        self._health = health
        self._bounce_counter = bounce_counter
        self._down_since_ms = -1
        self._long_reported = False

    @property
    def is_down(self) -> bool:
        """True from the first low level to the release."""
        return self._down_since_ms >= 0

    def poll(self, is_down: bool, now_ms: int) -> int:
        """Return NOTHING, SHORT (at release) or LONG (2 s after the press began); call at least each 50 ms."""
        if is_down:
            if self._down_since_ms < 0:
                self._down_since_ms = now_ms
                self._long_reported = False
            elif not self._long_reported and now_ms - self._down_since_ms >= _LONG_MS:
                self._long_reported = True
                return LONG
            return NOTHING
        if self._down_since_ms < 0:
            return NOTHING
        held_ms = now_ms - self._down_since_ms
        self._down_since_ms = -1
        if self._long_reported:
            return NOTHING
        if held_ms < _BOUNCE_MS:
            if self._health is not None:
                self._health.count(self._bounce_counter)
            return NOTHING
        return LONG if held_ms >= _LONG_MS else SHORT
