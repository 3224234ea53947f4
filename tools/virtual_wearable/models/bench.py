"""A bus with both sensors and a clock that a test turns by hand: drivers run against registers, no supervisor.

Runs under MicroPython and CPython. Use:

    from tools.virtual_wearable.models.bench import Bench
    bench = Bench()            # bench.i2c behaves as machine.I2C
    bench.wearer.spo2_pct = 88.0
    bench.pass_ms(400)         # the FIFO fills by simulated time
"""

from tools.virtual_wearable.models import max30102, max30205, tmp117
from tools.virtual_wearable.models.i2c_bus import I2cBus
from tools.virtual_wearable.models.wearer import StillWearer


class Bench:
    """`wearer` (attributes to set), `i2c`, `max30102`, a thermometer by its name, and simulated time `now_us`.

    Both thermometers are there and see the same wearer; `thermometer` says which one is on the bus.
    """

    def __init__(self, wearer=None, seed: int = 1, thermometer: str = "tmp117") -> None:
        self.now_us = 0
        self.wearer = wearer or StillWearer()
        self.max30102 = max30102.Max30102(self.wearer, self._now, seed)
        self.tmp117 = tmp117.Tmp117(self.wearer, self._now, seed + 6)
        self.max30205 = max30205.Max30205(self.wearer, self._now, seed + 6)
        on_bus = self.max30205 if thermometer == "max30205" else self.tmp117
        self.i2c = I2cBus({max30102.ADDRESS: self.max30102, tmp117.ADDRESS: on_bus})

    def _now(self) -> int:
        return self.now_us

    def pass_ms(self, span_ms: int) -> None:
        """Let simulated time pass; the chips notice at the next transaction."""
        self.now_us += span_ms * 1000
