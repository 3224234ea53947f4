"""A finger on the register model of the light sensor, polled as the application polls; runs on both runtimes."""

from crs_core.units import PPG_VALID
from crs_device.health import Health
from crs_device.sensors.bus import Bus
from crs_device.sensors.max3010x import Max3010x
from crs_device.sensors.optical import Optical
from crs_device.signal.ppg import Ppg

from tools.virtual_wearable.models.bench import Bench

POLL_MS = 360  # as crs_device/tasks.py


class Worn:
    """A bench with probe, chain and health; `answers` is one (spo2, hr, pi, state) a second."""

    def __init__(self, is_swapped: bool = False, **lights) -> None:
        self.bench = Bench()
        self.health = Health()
        self.gaps = []
        for name, value in lights.items():
            setattr(self.bench.max30102, name, value)
        self.probe = Optical(Max3010x(Bus(self.bench.i2c, self.health), is_swapped), Ppg(), self.health)
        self._next_poll_ms = 0
        self._next_ask_ms = 1000
        self.answers = []

    def run(self, seconds: int):
        """Let time pass in steps of 20 ms; the answers of that span."""
        first = len(self.answers)
        for _ in range(seconds * 50):
            self.bench.pass_ms(20)
            now_ms = self.bench.now_us // 1000
            if now_ms >= self._next_poll_ms:
                self._next_poll_ms = now_ms + POLL_MS
                gap = self.probe.poll(now_ms)
                if gap:
                    self.gaps.append(gap)
            if now_ms >= self._next_ask_ms:
                self._next_ask_ms += 1000
                self.answers.append(self.probe.vitals(now_ms))
        return self.answers[first:]

    def first_valid_s(self, seconds: int) -> int:
        """Seconds until the first value."""
        states = [answer[3] for answer in self.run(seconds)]
        assert PPG_VALID in states, states
        return states.index(PPG_VALID) + 1

    def registers(self):
        """(LED 1, LED 2, range) as the chip has them."""
        regs = self.bench.max30102.regs
        return regs[0x0C], regs[0x0D], regs[0x0A] >> 5


def right(answers) -> bool:
    """Every answer is the still wearer's."""
    return all(
        state == PPG_VALID and abs(spo2 - 970) <= 15 and abs(hr - 75) <= 2 for spo2, hr, _, state in answers
    )
