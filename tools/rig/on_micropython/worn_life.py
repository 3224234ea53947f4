"""A wearer's day in simulated time: register models, the real drivers, chain, monitor, schedule and application.

Nothing waits. Board parts that only show (lights, buzzer) are left out; the journal is a list. Runs on both runtimes.
"""

from crs_core import code_texts
from crs_core.grade import rules
from crs_core.spo2_curve import AN6845
from crs_core.units import SITE_AXILLA
from crs_device.app import App
from crs_device.clock import Clock
from crs_device.measuring.sampling import Sampling
from crs_device.measuring.schedule import Schedule
from crs_device.monitor import Monitor

from tools.virtual_wearable.models.bench import Bench

POLL_MS = 320
SETTLED_MS = 50_000  # the thermometer counts from 45 s on


class Dark:
    """A lamp, a buzzer and a motor that do nothing."""

    def rgb(self, red: int, green: int, blue: int) -> None:
        pass

    def tone(self, freq_hz: int, duty: int = 0) -> None:
        pass

    def off(self) -> None:
        pass

    def value(self, level: int) -> None:
        pass


class ListedLog:
    """Takes everything: `readings`, and `events` as (t_ms, kind)."""

    journal = None
    is_faulty = False

    def __init__(self) -> None:
        self.readings = []  # type: ignore[var-annotated]
        self.events = []  # type: ignore[var-annotated]
        self.gaps = []  # type: ignore[var-annotated]

    def add_reading(self, reading) -> bool:  # type: ignore[no-untyped-def]
        self.readings.append(reading)
        return True

    def append(self, t_ms: int, kind: int, payload: bytes) -> int:
        self.events.append((t_ms, kind))
        return 1

    def append_all(self, events, hold: bool = True) -> int:  # type: ignore[no-untyped-def]
        for t_ms, kind, _ in events:
            self.events.append((t_ms, kind))
        return 1

    def gap(self, *told) -> None:  # type: ignore[no-untyped-def]
        self.gaps.append(told)


class Board:
    """What an application asks of a board."""

    simulated = True

    def __init__(self, bench) -> None:  # type: ignore[no-untyped-def]
        self.led = self.buzzer = self.vibration = Dark()
        self.clock = Clock(lambda: bench.now_us // 1000, lambda later, earlier: later - earlier)

    def battery_mv(self) -> int:
        return 0


class WornLife:
    """`live_until(ms)`; `wearer` may change between. Measures by state, calm after so long, or continuously (None)."""

    def __init__(self, calm_after_ms=None, seed: int = 1, numbers=rules.DEFAULT) -> None:  # type: ignore[no-untyped-def]
        self.bench = Bench(seed=seed)
        self.wearer = self.bench.wearer
        self.app = App(Board(self.bench))
        self.app.log = self.log = ListedLog()  # type: ignore[assignment]
        self.app.sampling = self.sampling = Sampling(self.bench.i2c, {}, self.log, self.app.health, AN6845, 0)
        self.monitor = Monitor(self.app, numbers, bytes(8), SITE_AXILLA, 10)
        self.app.monitor = self.monitor
        self.monitor.is_bound = True
        if calm_after_ms is not None:
            self.app.schedule = Schedule(calm_after_ms)
        self.now_ms = 0
        self._poll_ms = POLL_MS
        self._step_ms = 1000
        self.dark_ms = 0  # how long the light was off
        self.seen = []  # type: ignore[var-annotated]  # (t_ms, optical state, saturation) of each step

    def live_until(self, end_ms: int, alarm: int = 0, priority: int = 0) -> int:
        """Live on to `end_ms`, or until the alarm is raised; the time it was, 0 when it was not."""
        while self.now_ms < end_ms:
            then_ms = min(self._poll_ms, self._step_ms, end_ms)
            if self.sampling.optical.resting:
                self.dark_ms += then_ms - self.now_ms
            self.bench.pass_ms(then_ms - self.now_ms)
            self.now_ms = then_ms
            if then_ms == self._poll_ms:
                self._poll_ms += POLL_MS
                self.app.drain()
            if then_ms == self._step_ms:
                self._step_ms += 1000
                self.monitor.step(then_ms)
                vitals = self.app.vitals
                self.seen.append((then_ms, vitals.ppg_state, vitals.spo2_tenths))
                if (alarm, priority) in self.monitor.active:
                    return then_ms
        return 0

    def alarms(self) -> list:  # type: ignore[type-arg]
        """Names of what is active."""
        return [code_texts.alarm_name(alarm) for alarm, _ in self.monitor.active]
