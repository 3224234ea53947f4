"""The metal behind a thermometer chip: it warms against skin and cools in the room as a first-order system."""

from math import exp

_WARM_S = 20.0  # time constant against skin
_COOL_S = 25.0  # and in air


class Probe:
    """`probe_c` at `_last_us`; `_settle()` moves both on. `now_us` is simulated and must never go back."""

    def __init__(self, wearer, now_us) -> None:
        self.wearer = wearer
        self._now_us = now_us
        self._last_us = now_us()
        start = wearer.skin_c(self._last_us / 1e6)
        # was worn before power-on
        self.probe_c = wearer.ambient_c(self._last_us / 1e6) if start is None else start

    def _settle(self, until_us: int) -> None:
        span_us = until_us - self._last_us
        if span_us <= 0:
            return
        parts = min(60, 1 + span_us // 1000000)
        for i in range(1, parts + 1):
            t_s = (self._last_us + span_us * i // parts) / 1e6
            skin = self.wearer.skin_c(t_s)
            target = self.wearer.ambient_c(t_s) if skin is None else skin
            fade = exp(-span_us / parts / 1e6 / (_COOL_S if skin is None else _WARM_S))
            self.probe_c = target + (self.probe_c - target) * fade
        self._last_us = until_us
